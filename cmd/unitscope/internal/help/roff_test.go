package help

import "testing"

func TestEscape(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain", "plain"},
		{".TH evil", `\&.TH evil`},
		{"'br", `\(aqbr`},
		{`a\fB`, `a\efB`},
		{"--out x-y", `\-\-out x\-y`},
		{"`x`", `\(gax\(ga`},
		{"Université", `Universit\[u00E9]`},
	} {
		if got := escape(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	var r roff
	r.macro("B", `say "x"`, "")
	r.text("a\n .b")
	if got, want := r.String(), ".B \"say \\(dqx\\(dq\" \"\"\na .b\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
