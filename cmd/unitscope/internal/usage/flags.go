package usage

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/report/runfolder"
)

// The flags that several commands share. Their names are kept: scripts and
// run.json rely on them.

// DeviceFlag is --device.
func DeviceFlag() cli.Flag {
	return &cli.StringFlag{Name: "device", Value: "auto", Usage: "`NAME` of the device that computes: auto, cpu, cuda:all for all cards together, or another that `unitscope devices` lists"}
}

// SeedFlag is --seed.
func SeedFlag() cli.Flag {
	return &cli.Uint64Flag{Name: "seed", Value: 1, Usage: "`N` that every random number depends on, 0 to 2^64-1; the same seed gives the same results"}
}

// OutFlag is --out of a run folder, which is value where nobody says; it must be said
// if that is "".
func OutFlag(value string) cli.Flag {
	usage := "`DIR`, the run folder for the results; it must be new or empty"
	return &cli.StringFlag{Name: "out", Value: value, Required: value == "", Usage: usage}
}

// ForceFlag is --force.
func ForceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Usage: "use --out even if it holds another run, whose files are removed, or other files, which stay; a run that would replace one of these is refused"}
}

// ModelFlags are for every command that looks at units of one layer of a model.
func ModelFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "model", Required: true, Usage: "`FILE` of a model, or its run folder; see `unitscope help model`"},
		&cli.StringFlag{Name: "layer", Value: "1", Usage: "`LAYER` by number, from 1, the first hidden one, to the number of layers, or by its name in the model's file"},
		&cli.StringFlag{Name: "units", Value: "all", Usage: "`UNITS` of the layer, counted from 0: all, 7, 0-35, or several with commas"},
	}, FileFlags()...)
}

// FileFlags say what a model's file leaves open that another framework has written.
func FileFlags() []cli.Flag {
	const category = "Options for models of other frameworks"
	return []cli.Flag{
		&cli.StringFlag{Name: "activation", Category: category, Usage: "`NAME` of what follows each layer but the last, for files of parameters alone: sigmoid, tanh, relu, leakyrelu, elu, gelu, gelu-tanh, silu, softplus, hardsigmoid, hardswish or identity"},
		&cli.StringFlag{Name: "map", Category: category, Usage: "`NAME=LAYER,...`, which tensors are of which layer, for files of parameters alone; see `unitscope help model`"},
		&cli.StringFlag{Name: "input-shape", Category: category, Usage: "`SHAPE` of an input, such as 28x28 or 3x32x32 (default: the file's, or a square picture if there are as many inputs)"},
		&cli.StringFlag{Name: "normalize", Category: category, Usage: "`MEAN,DEVIATION` that inputs are normalised with before the first layer; several for channels, with colons: 0.5:0.4:0.4,0.2:0.2:0.2"},
	}
}

// Given are those of flags of text that were given, as they are typed.
func Given(ctx *cli.Context, flags []cli.Flag) (words []string) {
	for _, f := range flags {
		if name := f.Names()[0]; ctx.IsSet(name) {
			words = append(words, "--"+name, ctx.String(name))
		}
	}
	return words
}

// RunFlags are for every command that computes results into a run folder.
func RunFlags() []cli.Flag {
	return append([]cli.Flag{OutFlag(""), ForceFlag(), SeedFlag(), DeviceFlag()}, SpeakFlags()...)
}

// SpeakFlags are for every command that takes its time.
func SpeakFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "quiet", Usage: "no progress, hints or remarks: only warnings and errors, and results on standard output"},
		&cli.StringFlag{Name: "log", Value: "text", Usage: "`FORMAT` of what is said on standard error: text, or json for a record a line"},
	}
}

// FolderStart translates --force and --resume.
func FolderStart(ctx *cli.Context) (runfolder.Start, error) {
	switch force, resume := ctx.Bool("force"), ctx.Bool("resume"); {
	case force && resume:
		return 0, Mistakef("--force and --resume: one starts anew, the other goes on; give one of them")
	case force:
		return runfolder.Force, nil
	case resume:
		return runfolder.Resume, nil
	}
	return runfolder.Fresh, nil
}

// Options are the resolved flags of a command, for the record of its run.
func Options(ctx *cli.Context) map[string]string {
	all := map[string]string{}
	for _, f := range ctx.Command.Flags {
		name := f.Names()[0]
		if name == "help" {
			continue
		}
		all[name] = fmt.Sprint(ctx.Value(name))
		if several, ok := ctx.Value(name).(cli.StringSlice); ok {
			var words []string
			for _, value := range several.Value() {
				words = append(words, Quoted(value))
			}
			all[name] = strings.Join(words, " ")
		}
	}
	return all
}

// Values are those of a flag that may be given several times, or the one of another.
func Values(ctx *cli.Context, name string) []string {
	if several, ok := ctx.Value(name).(cli.StringSlice); ok {
		return several.Value()
	}
	return []string{ctx.String(name)}
}

// ParseInts reads a list like "500,500,500" of whole numbers.
func ParseInts(flag, text string) ([]int, error) {
	var ns []int
	for _, field := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil {
			return nil, Mistakef("--%s %q: %q is not a whole number", flag, text, field)
		}
		ns = append(ns, n)
	}
	return ns, nil
}

// ParseFloats reads a list like "0.1,0.05" of finite numbers; "" is nil.
func ParseFloats(flag, text string) ([]float64, error) {
	if text == "" {
		return nil, nil
	}
	var xs []float64
	for _, field := range strings.Split(text, ",") {
		x, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || x-x != 0 {
			return nil, Mistakef("--%s %q: %q is not a finite number", flag, text, field)
		}
		xs = append(xs, x)
	}
	return xs, nil
}

// PreviewFlag is --preview.
func PreviewFlag() cli.Flag {
	return &cli.BoolFlag{Name: "preview", Usage: "also show the picture in the terminal, as well as the terminal can; the environment variable UNITSCOPE_PREVIEW=kitty, sixel or blocks chooses how"}
}

// PictureFlags are for every command that writes a picture into a run folder.
func PictureFlags() []cli.Flag { return append(RunFlags(), PreviewFlag()) }

// LayersFlag is --layer of commands that look at several layers.
func LayersFlag() cli.Flag {
	return &cli.StringFlag{Name: "layer", Value: "all", Usage: "`LAYERS` by number, 1 is the first hidden one, or by their names in the model's file, several with commas, or all"}
}

// ParsePositive reads a number above 0 that has single precision.
func ParsePositive(flag, text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(float32(x) > 0) || x > math.MaxFloat32 {
		return 0, Mistakef("--%s %q: want a number above 0", flag, text)
	}
	return x, nil
}

// JoinInts writes a list as ParseInts reads it.
func JoinInts(ns []int) string {
	var texts []string
	for _, n := range ns {
		texts = append(texts, fmt.Sprint(n))
	}
	return strings.Join(texts, ",")
}
