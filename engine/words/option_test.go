package words_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/unitscope/unitscope/engine/words"
)

func TestOptionError(t *testing.T) {
	err := fmt.Errorf("ascent: %w", words.BadOption("Patience", 0, "want at least %d", 1))
	if got, want := err.Error(), "ascent: Patience 0: want at least 1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var o *words.OptionError
	if !errors.As(err, &o) || o.Field != "Patience" || o.Called("--patience") != "--patience 0: want at least 1" {
		t.Errorf("%+v of %v", o, err)
	}
	if got, want := o.Within("FineTune").Error(), "FineTune.Patience 0: want at least 1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	err = words.BadOption("Noise", nil, "there is none to read: %w", io.EOF)
	if err.Error() != "Noise: there is none to read: EOF" || !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}
