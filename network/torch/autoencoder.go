package torch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/safetensors"
)

// The tensors of a sparse autoencoder of SAELens, and the file beside them that says
// how they are used.
const (
	encoderName     = "W_enc" // [inputs, latents]
	encoderBiasName = "b_enc"
	decoderName     = "W_dec" // [latents, inputs]
	decoderBiasName = "b_dec"
	scalingName     = "scaling_factor" // [latents], which the decoder multiplies them by
	configName      = "cfg.json"
	// AutoencoderFile is what SAELens calls the file of the tensors, in a folder of its own.
	AutoencoderFile  = "sae_weights.safetensors"
	maxConfig        = 1 << 20
	autoencoderTitle = "latents"
)

// isAutoencoder says whether a file has the names of SAELens.
func isAutoencoder(f *safetensors.File) bool {
	_, encoder := f.Entry(encoderName)
	_, decoder := f.Entry(decoderName)
	return encoder && decoder
}

// config is what SAELens keeps in cfg.json of how latents are computed. What a file
// does not say is, as in SAELens, a standard autoencoder with ReLU that subtracts
// b_dec and normalises nothing. Older versions say in activation_fn_str what newer
// ones say by the architecture.
type config struct {
	Architecture  string `json:"architecture"`
	Activation    string `json:"activation_fn"`
	OldActivation string `json:"activation_fn_str"`
	SubtractsBias *bool  `json:"apply_b_dec_to_input"`
	Normalizes    any    `json:"normalize_activations"` // a word, or in old files a truth value
	Reshapes      string `json:"reshape_activations"`
}

// autoencoder reads the encoder of a sparse autoencoder as one layer,
//
//	latents = relu((x - b_dec) W_enc + b_enc)
//
// where b_dec is subtracted if the configuration says so. The decoder, which makes
// inputs of latents, is left out.
func autoencoder(f *safetensors.File, configPath string, o Options) (*graph.Graph, error) {
	for _, name := range f.Names() {
		switch name {
		case encoderName, encoderBiasName, decoderName, decoderBiasName, scalingName:
			continue
		case "threshold", "log_threshold":
			return nil, fmt.Errorf("%s is of a JumpReLU autoencoder, whose activation can't be read: only those with ReLU", name)
		}
		e, _ := f.Entry(name)
		return nil, fmt.Errorf("there is no use for %.80q %.80s in a sparse autoencoder with ReLU", name, fmt.Sprint(e.Shape))
	}
	if len(o.Map) > 0 {
		return nil, words.BadOption("Map", nil, "it is for state dicts, and this is a sparse autoencoder of SAELens")
	}
	c, err := readConfig(configPath)
	if err != nil {
		return nil, err
	}
	if err := c.check(o.Activation); err != nil {
		return nil, fmt.Errorf("%s: %w", configName, err)
	}
	return encoder(f, c, o)
}

// readConfig reads the file beside the tensors.
func readConfig(path string) (c config, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("there is no %s beside it, which says what follows the encoder and whether %s is subtracted: copy it from where this is from", configName, decoderBiasName)
	}
	if err != nil {
		return c, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxConfig {
		return c, fmt.Errorf("%s: want a file of at most %d bytes", configName, maxConfig)
	}
	file, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfig))
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%s: %w", configName, err)
	}
	return c, nil
}

// check refuses what is not relu((x - b_dec) W_enc + b_enc).
func (c config) check(stated string) error {
	relu := engine.ReLU.String()
	if stated != "" && stated != relu {
		return words.BadOption("Activation", fmt.Sprintf("%.40q", stated), "a sparse autoencoder is read with %s", relu)
	}
	for _, of := range []struct{ key, has, want string }{
		{"architecture", c.Architecture, "standard"},
		{"activation_fn", c.Activation, relu},
		{"activation_fn_str", c.OldActivation, relu},
		{"reshape_activations", c.Reshapes, "none"},
	} {
		if of.has != "" && of.has != of.want {
			return fmt.Errorf("%s is %.40q, and only %q can be read", of.key, of.has, of.want)
		}
	}
	switch c.Normalizes {
	case nil, false, "none":
		return nil
	}
	return fmt.Errorf("normalize_activations is %.40q, and only \"none\" can be read: make it a part of the weights before saving, with fold_activation_norm_scaling_factor", fmt.Sprint(c.Normalizes))
}

// encoder makes the layer.
func encoder(f *safetensors.File, c config, o Options) (*graph.Graph, error) {
	l := &layer{linear: linear{name: autoencoderTitle, transposed: true}}
	parts := map[string]*Tensor{}
	for _, name := range f.Names() {
		e, _ := f.Entry(name)
		parts[name] = &Tensor{name, e.Shape, e.Type, func() ([]float32, error) {
			t, err := f.Tensor(name)
			return t.Data, err
		}}
	}
	l.weight, l.bias = *parts[encoderName], parts[encoderBiasName]
	if err := l.check(); err != nil {
		return nil, err
	}
	if err := checkMemory([]*layer{l}); err != nil {
		return nil, err
	}
	weight, bias, err := l.read()
	if err != nil {
		return nil, err
	}
	b, x, err := begin(l.inputs(), o)
	if err != nil {
		return nil, err
	}
	subtracts := true
	if c.SubtractsBias != nil {
		subtracts = *c.SubtractsBias
	}
	if subtracts {
		of := parts[decoderBiasName]
		if of == nil || len(of.Shape) != 1 || of.Shape[0] != l.inputs() {
			return nil, fmt.Errorf("%s is subtracted from inputs, unless %s says otherwise in apply_b_dec_to_input: want it with %d numbers", decoderBiasName, configName, l.inputs())
		}
		shift, err := of.numbers()
		if err != nil {
			return nil, err
		}
		bias = shifted(weight, bias, shift)
		b.Remark("%s is subtracted from inputs, and has become a part of the biases of the latents", decoderBiasName)
	}
	b.Remark("a sparse autoencoder of SAELens: its latents are units; its decoder, which makes inputs of them, is left out")
	x = b.Affine(l.name, x, weight, bias)
	b.Activate(l.name+".activation", x, engine.Activation{Kind: engine.ReLU})
	return b.Finish()
}

// shifted is biases for inputs from which nothing is subtracted: b - W s.
func shifted(weight engine.Host, bias, subtracted []float32) []float32 {
	out := make([]float32, len(bias))
	for u := range bias {
		sum := float64(bias[u])
		for c, s := range subtracted {
			sum -= float64(weight.Data[u*weight.Cols+c]) * float64(s)
		}
		out[u] = float32(sum)
	}
	return out
}
