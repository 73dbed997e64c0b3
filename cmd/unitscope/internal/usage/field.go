package usage

import (
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/engine/words"
)

// namedByFlag is an error about an option of a library, in the words of the command
// that was typed.
type namedByFlag struct {
	error
	text string
}

func (e namedByFlag) Error() string { return e.text }

func (e namedByFlag) Unwrap() error { return e.error }

// NameByFlag has an error call an option of a library by the flag that sets it, if
// the command has one. Where the flag was given, what it was given is a mistake.
func NameByFlag(err error, flags []cli.Flag, given func(flag string) bool) error {
	var option *words.OptionError
	if !errors.As(err, &option) {
		return err
	}
	flag := flagOf(option.Field, flags)
	if flag == "" {
		return err
	}
	err = namedByFlag{err, strings.ReplaceAll(err.Error(), option.Error(), option.Called("--"+flag))}
	if given(flag) {
		err = Mistake(err)
	}
	return err
}

// flagOf is which of a command's flags sets a field of options, "" for none: the one
// that is called as the field, or another that stands for it.
func flagOf(field string, flags []cli.Flag) string {
	others := map[string]string{
		"set": "data", "held": "validation", // arguments
		"Mean": "normalize", "Deviation": "normalize",
		"Units": "layers", "Rates": "lr", "Rate": "lr", "FinalRates": "final-lr", "FinalRate": "final-lr",
		"GibbsSteps": "k", "UpperSamples": "upper", "MaxSteps": "steps", "Tolerance": "tol", "Radius": "rho", "Cosine": "mode-cosine",
		"FineTuneRate": "finetune-lr", "FineTune.Rate": "finetune-lr", "FineTune.FinalRate": "finetune-lr", "FineTune.Epochs": "finetune-epochs",
	}
	for {
		for _, name := range []string{kebab(field), others[field]} {
			if slices.ContainsFunc(flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) }) {
				return name
			}
		}
		_, inner, ok := strings.Cut(field, ".")
		if !ok {
			return ""
		}
		field = inner
	}
}

// kebab is a field's name as flags are written: "checkpoint-every" for
// CheckpointEvery.
func kebab(field string) string {
	var b strings.Builder
	for i, r := range field {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}
