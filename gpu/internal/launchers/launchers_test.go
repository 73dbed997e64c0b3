package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEntries(t *testing.T) {
	const source = `
#define TWO_PARAMETERS  \
  float *dst, long long dst_stride,    \
      const Key *keys, Key seed, unsigned int purpose, unsigned int step

// KERNEL commented(int n) {
KERNEL two_a(TWO_PARAMETERS) { body(); }
KERNEL alone(const double *squares,
             int rows, float rate) {
}
`
	entries, err := entriesOf("made.cu", source)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 || entries[0].name != "two_a" || entries[1].name != "alone" {
		t.Fatalf("entries %+v", entries)
	}
	for i, want := range [][]int{{8, 8, 8, 8, 4, 4}, {8, 4, 4}} {
		var sizes []int
		for _, p := range entries[i].parameters {
			sizes = append(sizes, p.kind.size)
		}
		if !slices.Equal(sizes, want) {
			t.Errorf("%s: sizes %v, want %v", entries[i].name, sizes, want)
		}
	}
	if !drawsLast(entries[0].parameters) || drawsLast(entries[1].parameters) {
		t.Error("which entries draw is not found out")
	}
	text := string(launchersText(entries))
	for _, want := range []string{"type twoArguments struct", "dstStride int // long long", "draws draws", "func callTwoA(a twoArguments) call", "func callAlone(a aloneArguments) call", `"alone": {8, 4, 4}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestEntriesRefused(t *testing.T) {
	for source, want := range map[string]string{
		"KERNEL k(short n) {}":         `kernel k: parameter n has type "short"`,
		"KERNEL k(n) {}":               `parameter "n" has no type`,
		"KERNEL k(NONE_PARAMETERS) {}": "no macro NONE_PARAMETERS",
	} {
		if _, err := entriesOf("made.cu", source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", source, err, want)
		}
	}
}

// An epilogue that package engine gets is in both lists, and the card's own ones move
// on.
func TestEpilogues(t *testing.T) {
	dir := t.TempDir()
	source := "package engine\n\nconst other = 1\n\nconst (\n\tEpilogueNone EpilogueKind = iota\n\tEpilogueNew // of tomorrow\n)\n"
	if err := os.WriteFile(filepath.Join(dir, "engine.go"), []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	names, err := readKinds(dir, epilogueType)
	if err != nil || !slices.Equal(names, []string{"EpilogueNone", "EpilogueNew"}) {
		t.Fatalf("%v, %v", names, err)
	}
	if text := string(cudaEpilogues(names)); !strings.Contains(text, "NEW = 1,") || !strings.Contains(text, "GAUSSIAN = 2,") {
		t.Error(text)
	}
	if text := string(goEpilogues(names)); !strings.Contains(text, "EpilogueGaussian = 2 ") {
		t.Error(text)
	}
	if _, err := readKinds(t.TempDir(), epilogueType); err == nil {
		t.Error("a folder without epilogues is taken")
	}
}
