package words_test

import (
	"testing"

	"github.com/unitscope/unitscope/engine/words"
)

func TestNearest(t *testing.T) {
	known := []string{"demo", "train", "finetune", "visualize", "epochs", "lr", "layers"}
	for _, c := range []struct{ word, want string }{
		{"visualise", "visualize"}, {"epoch", "epochs"}, {"trian", "train"}, {"layer", "layers"},
		{"fine-tune", "finetune"}, {"rl", "lr"}, {"speed", ""}, {"", ""}, {"visualizevisualizevisualizevisualizevisualizevisualizevisualizevisualize", ""},
	} {
		if got := words.Nearest(c.word, known); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}
