package network

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// checkLeft refuses tensors that were passed over: the network may compute with
// them, and would be another one without. What plainly belongs to the training and
// not to the network becomes a remark.
func (r *reader) checkLeft(layers int) error {
	var left, training []string
	for name := range r.left {
		if e, _ := r.file.Entry(name); ofTraining(name) || e.Size() == 0 {
			training = append(training, name)
		} else {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	slices.Sort(training)
	if len(training) > 0 {
		r.warn("left out, as no layer computes with it: %s", quoteSome(training))
	}
	switch {
	case layers == 0 && len(left) == 0:
		return errNoLayers
	case layers == 0 && !slices.ContainsFunc(left, isLayers):
		return fmt.Errorf("%w; the file has %s", errNoLayers, quoteSome(left))
	case len(left) == 0:
		return nil
	}
	for _, name := range left {
		number, _, _ := strings.Cut(strings.TrimPrefix(name, layersPrefix), ".")
		if n, err := strconv.Atoi(number); isLayers(name) && err == nil && (n < 1 || n > layers) {
			return fmt.Errorf("%s%s is missing, but there is %.80q: layers are numbered from 1 without a gap", layerPrefix(layers+1), weightName, name)
		}
	}
	none := "is none of a model's"
	if len(left) > 1 {
		none = "are none of a model's"
	}
	return fmt.Errorf("%s %s: want only layers.N.%s, .%s, .%s, %s, %s, %s%s and %s%s; save the file without the rest if the network computes without it",
		quoteSome(left), none, weightName, biasName, visibleBiasName, meanName, scaleName, outputPrefix, weightName, outputPrefix, biasName)
}

func isLayers(name string) bool { return strings.HasPrefix(name, layersPrefix) }

// ofTraining is true for the state of an optimizer, and for counters.
func ofTraining(name string) bool {
	if strings.HasPrefix(name, "optimizer.") {
		return true
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return slices.Contains([]string{"num_batches_tracked", "step", "epoch", "global_step"}, last)
}

// quoteSome names the first few tensors, and says how many more there are.
func quoteSome(names []string) string {
	const most = 3
	text := "tensor "
	if len(names) > 1 {
		text = "tensors "
	}
	for i, name := range names[:min(len(names), most)] {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%.40q", name)
	}
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// checkKeys refuses metadata that is meant for us and that we would pass over: a
// key of ours in another spelling, and an activation under another name. Any other
// key is somebody's note.
func checkKeys(metadata map[string]string) error {
	keys := []string{kindKey, visibleKey, activationKey, inputShapeKey, rhoKey}
	bare := strings.NewReplacer("_", "", "-", "", " ", "", ".", "")
	plain := func(key string) string { return bare.Replace(strings.ToLower(key)) }
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		if slices.Contains(keys, key) || strings.HasPrefix(key, trainingPrefix) {
			continue
		}
		for _, ours := range keys {
			if plain(key) == plain(ours) {
				return fmt.Errorf("metadata %.40q is not read: want %q", key, ours)
			}
		}
		if strings.Contains(plain(key), activationKey) && value != activationName {
			return fmt.Errorf("metadata %.40q is %.40q, want %q %q: other activations can't be computed", key, value, activationKey, activationName)
		}
	}
	return nil
}
