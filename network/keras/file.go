package keras

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/unitscope/unitscope/network/internal/archive"
	"github.com/unitscope/unitscope/network/keras/internal/hdf5"
)

// maxConfig is how long the description of a network may be. A layer takes about a
// thousand bytes.
const maxConfig = 16 << 20

// file is what a file has: the description of a network, and its weights.
type file struct {
	config  []byte
	version string // of Keras; "" where the file does not say
	legacy  bool
	hdf5    *hdf5.File
	weights []*weight
	byName  map[string]*weight
	grouped map[string][]*weight // of legacy files, by the groups in model_weights
	places  map[string]int       // how many layers of a class there were so far
}

// weight is a tensor of the file.
type weight struct {
	*hdf5.Dataset
	used    bool
	numbers []float32 // once they were read
}

// readArchive reads
//
//	config.json       the description
//	metadata.json     which Keras
//	model.weights.h5  weights: layers/dense_1/vars/0
func readArchive(source io.ReaderAt, size int64) (*file, error) {
	a, err := archive.Open(source, size)
	if err != nil {
		return nil, err
	}
	f := &file{}
	if f.config, err = a.Read("config.json", maxConfig); err != nil {
		return nil, err
	}
	if a.Has("metadata.json") {
		text, err := a.Read("metadata.json", maxConfig)
		if err != nil {
			return nil, err
		}
		var metadata struct {
			Version string `json:"keras_version"`
		}
		if err := json.Unmarshal(text, &metadata); err != nil {
			return nil, fmt.Errorf("metadata.json: %w", err)
		}
		f.version = metadata.Version
	}
	section, err := a.Section("model.weights.h5")
	if err != nil {
		return nil, err
	}
	h, err := hdf5.Read(section, section.Size())
	if err != nil {
		return nil, fmt.Errorf("model.weights.h5: %w", err)
	}
	f.index(h)
	return f, nil
}

// readLegacy reads a file whose attribute model_config is the description, with the
// weights in groups: model_weights/fc1/fc1/kernel:0.
func readLegacy(source io.ReaderAt, size int64) (*file, error) {
	h, err := hdf5.Read(source, size)
	if err != nil {
		return nil, err
	}
	f := &file{legacy: true}
	config, ok, err := h.Attribute("", "model_config")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("it has no attribute model_config, so that it is weights alone or no model: write it with model.save")
	}
	f.config = []byte(config)
	for _, group := range []string{"", "model_weights"} {
		if f.version == "" {
			if f.version, _, err = h.Attribute(group, "keras_version"); err != nil {
				return nil, err
			}
		}
	}
	f.index(h)
	return f, nil
}

// legacyWeights is the group of the groups of layers.
const legacyWeights = "model_weights/"

// index finds weights by their names.
func (f *file) index(h *hdf5.File) {
	f.hdf5 = h
	f.byName, f.grouped, f.places = map[string]*weight{}, map[string][]*weight{}, map[string]int{}
	for _, d := range h.Datasets() {
		w := &weight{Dataset: d}
		f.weights, f.byName[d.Name] = append(f.weights, w), w
		if name, ok := strings.CutPrefix(d.Name, legacyWeights); ok {
			group, _, _ := strings.Cut(name, "/")
			f.grouped[group] = append(f.grouped[group], w)
		}
	}
}

// Keras 3 calls groups of weights by the classes of layers, "PReLU" is p_re_lu.
var (
	wordStart = regexp.MustCompile("(.)([A-Z][a-z]+)")
	lastWords = regexp.MustCompile("([a-z])([A-Z])")
)

// place tells layers where their weights are in an archive, below a group.
func (f *file) place(m *model, below string) {
	for _, l := range m.layers {
		l.group = f.group(below, l.class)
		if l.inner != nil {
			f.place(l.inner, l.group+"/layers/")
		}
	}
}

// group is where the weights of the next layer of a class are: layers/dense,
// layers/dense_1 and so on.
func (f *file) group(below, class string) string {
	name := lastWords.ReplaceAllString(wordStart.ReplaceAllString(class, "${1}_${2}"), "${1}_${2}")
	name = below + strings.ToLower(name)
	f.places[name]++
	if n := f.places[name]; n > 1 {
		name = fmt.Sprintf("%s_%d", name, n-1)
	}
	return name
}

// tensor is a layer's weight by its name, which is its place'th one.
func (f *file) tensor(l *layer, part string, place int) (*weight, error) {
	if !f.legacy {
		name := fmt.Sprintf("%s/vars/%d", l.group, place)
		w := f.byName[name]
		if w == nil {
			return nil, fmt.Errorf("its weights %s, %s, are not in the file", part, shown(name))
		}
		// Newer files tell whose they are.
		owner, told, err := f.hdf5.Attribute(l.group+"/vars", "name")
		if err == nil && told && l.own != "" && owner != l.own {
			err = fmt.Errorf("its weights should be %s, which are those of %s", shown(name), shown(owner))
		}
		if err != nil {
			return nil, err
		}
		w.used = true
		return w, nil
	}
	var found *weight
	within, ending := legacyWeights+l.name+"/", "/"+part
	if l.top != "" { // the weights of a model are together
		within, ending = legacyWeights+l.top+"/", "/"+l.own+ending
	}
	group, _, _ := strings.Cut(strings.TrimPrefix(within, legacyWeights), "/") // layers of TensorFlow may have it in their names
	for _, w := range f.grouped[group] {
		if !strings.HasPrefix(w.Name, within) || !strings.HasSuffix(strings.TrimSuffix(w.Name, ":0"), ending) {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("its weights %s are there twice, %s and %s", part, shown(found.Name), shown(w.Name))
		}
		found = w
	}
	if found == nil {
		return nil, fmt.Errorf("its weights %s, in %s, are not in the file", part, shown(within))
	}
	found.used = true
	return found, nil
}

// unused is an error about weights that no layer uses: somebody meant something by
// them. The state of what is needed for training alone is no part of a network.
func (f *file) unused() error {
	for _, w := range f.weights {
		top, _, _ := strings.Cut(w.Name, "/")
		switch {
		case w.used, top == "optimizer", top == "optimizer_weights", top == "metrics", strings.Contains(w.Name, "/seed_generator/"):
		default:
			return fmt.Errorf("tensor %s: no layer uses it, and what is not used was probably meant: save the model without it", w)
		}
	}
	return nil
}

// read returns the numbers of a weight, which are read once.
func (w *weight) read() (tensor, error) {
	if w.numbers == nil {
		numbers, err := w.Numbers()
		if err != nil {
			return tensor{}, err
		}
		w.numbers = numbers
	}
	return tensor{w.Shape, w.numbers}, nil
}
