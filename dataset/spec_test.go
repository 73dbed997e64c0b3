package dataset

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseSpec(t *testing.T) {
	for _, c := range []struct {
		text, canonical, path string
		options               map[string]string
	}{
		{"digits", "digits:n=60000", "", map[string]string{"n": "60000"}},
		{"digits:n=5", "digits:n=5", "", map[string]string{"n": "5"}},
		{"mnist:/data", "mnist:/data,split=train", "/data", map[string]string{"split": "train"}},
		{"mnist:/data,split=test", "mnist:/data,split=test", "/data", map[string]string{"split": "test"}},
		{"mnist:a b:c,d", "mnist:a b:c,d,split=train", "a b:c,d", map[string]string{"split": "train"}},
		{`idx:C:\data\a, b.idx`, `idx:C:\data\a, b.idx`, `C:\data\a, b.idx`, map[string]string{}},
		{"idx:n=5/file", "", "", nil}, // taken for an option, and idx has none
		{"idx:x2=5/file", "idx:x2=5/file", "x2=5/file", map[string]string{}},
		{"idx:file,", "idx:file,", "file,", map[string]string{}},
		{"infmnist:d,split=test,n=7", "infmnist:d,n=7,split=test", "d", map[string]string{"n": "7", "split": "test"}},
		{"patches:f.mat,n=5", "patches:f.mat,size=12,n=5", "f.mat", map[string]string{"size": "12", "n": "5"}},
		{"patches:f.mat,x=IMAGES", "patches:f.mat,size=12,n=100000,x=IMAGES", "f.mat", map[string]string{"size": "12", "n": "100000", "x": "IMAGES"}},
		{"images:d", "images:d,size=12", "d", map[string]string{"size": "12"}},
		{"leaves:n=7", "leaves:size=12,n=7", "", map[string]string{"size": "12", "n": "7"}},
		{"npz:f.npz,y=b=c,x=a", "npz:f.npz,x=a,y=b=c", "f.npz", map[string]string{"x": "a", "y": "b=c"}},
	} {
		s, err := parseSpec(c.text)
		if c.canonical == "" {
			if err == nil {
				t.Errorf("%q is accepted", c.text)
			}
			continue
		}
		if err != nil || s.String() != c.canonical || s.path != c.path || !reflect.DeepEqual(s.options, c.options) {
			t.Errorf("%q: %s, path %q, options %v, error %v", c.text, s, s.path, s.options, err)
		}
	}
}

func TestSpecErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `unknown kind of data "": known are digits, mnist, infmnist, emnist, idx, npy, npz, csv, mat, patches, images, leaves`},
		{"minst:d", `unknown kind of data "minst": known are`},
		{"a,b.npy.gz,y=c.npy", "patches, images, leaves; write npy:a,b.npy.gz,y=c.npy"},
		{"Digits", "unknown kind of data"},
		{"digits:", "nothing follows the colon: write digits[:n=60000]"},
		{"digits:5", `"5" is no option: write digits[:n=60000]`},
		{"digits:m=5", `unknown option "m" of digits: known are n`},
		{"digits:n=", "option n has no value"},
		{"digits:n=5,n=6", "option n is given twice"},
		{"digits:n=0", "n=0: want 1 to 2147483647 examples"},
		{"digits:n=-3", "n=-3: want 1 to"},
		{"digits:n=2147483648", "n=2147483648: want 1 to"},
		{"digits:n=99999999999999999999", "want a whole number"},
		{"digits:n=1e3", "n=1e3: want a whole number"},
		{"mnist", "no path: write mnist:DIR[,split=train]"},
		{"mnist:,split=test", "no path"},
		{"mnist:d,part=test", `unknown option "part" of mnist: known are split`},
		{"mnist:d,split=half", "split=half: want train or test"},
		{"idx:f,n=5", `unknown option "n" of idx: known are y, scale, colour`},
		{"infmnist:d,n=x", "n=x: want a whole number"},
		{"leaves:size=1", "size=1: want 2 to 64 pixels"},
		{"leaves:size=x", "size=x: want a whole number"},
		{"leaves:size=8,n=0", "n=0: want 1 to"},
		{"leaves:/dir", `"/dir" is no option: write leaves[:size=12][,n=100000][,whiten=none]`},
		{"patches:", "no path: write patches:FILE.mat[,size=12][,n=100000][,x=NAME][,whiten=none]"},
		{"patches:f,size=65", "size=65: want 2 to 64 pixels"},
		{"images:d,whiten=pca", "whiten=pca: want zca, standard or none"},
		{"leaves:whiten=zca", "whiten=zca: want standard or none"},
		{"patches:f,whiten=zca", "whiten=zca: want standard or none"},
		{"images:d,whiten=standard,epsilon=1", "epsilon=1 is for whiten=zca"},
		{"images:d,size=whole,n=5", "n=5 is for patches: with size=whole every picture is one example"},
		{"images:d,size=whole,whiten=zca", "whiten=zca is for patches: with size=whole pictures are as they are, whiten=none"},
		{"images:d,size=whole,epsilon=1", "epsilon=1 is for whiten=zca"},
		{"leaves:size=whole", "size=whole is for images:DIR"},
		{"images:d,epsilon=x", "epsilon=x: want a number from 1e-06 to 100"},
		{"images:d,epsilon=NaN", "epsilon=NaN: want a number from 1e-06 to 100"},
		{"images:d,epsilon=0", "epsilon=0: want a number from 1e-06 to 100"},
		{"images:d,whiten=none,epsilon=1", "epsilon=1 is for whiten=zca"},
		{"images:d,size=33", "size=33: want at most 32 pixels with whiten=zca"},
		{"npz:f,z=1", `unknown option "z" of npz: known are x, y, scale, colour`},
		{"npy:f,scale=0", "scale=0: want a number above 0"},
		{"npz:f,scale=-1", "scale=-1: want a number above 0"},
		{"idx:f,scale=NaN", "scale=NaN: want a number above 0"},
		{"npy:f,scale=Inf", "scale=Inf: want a number above 0"},
		{"csv:f,header=maybe", "header=maybe: want yes or no"},
		{"csv:f,scale=x", "scale=x: want a number above 0"},
		{"npz:f,colour=red", "colour=red: want grey"},
		{"emnist:d,set=capitals", "set=capitals: want balanced, byclass, bymerge, digits, letters, mnist"},
		{"emnist:d,split=half", "split=half: want train or test"},
		{"npy:f,scale=x", "scale=x: want a number above 0"},
	} {
		_, err := Open(c.text, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), fmt.Sprintf("data %q: ", c.text)) {
			t.Errorf("%q: error %v, want %s", c.text, err, c.want)
		}
		if !errors.Is(err, ErrSpecification) {
			t.Errorf("%q: %v is no mistake in the specification", c.text, err)
		}
	}
	if _, err := Open("npy:"+t.TempDir()+"/none.npy", 1); err == nil || errors.Is(err, ErrSpecification) {
		t.Errorf("a file that is missing: %v", err)
	}
}

func TestKinds(t *testing.T) {
	want := `digits[:n=60000][,split=train]
mnist:DIR[,split=train]
infmnist:DIR[,n=2500000][,split=train]
emnist:DIR[,set=letters][,split=train]
idx:FILE[,y=FILE][,scale=255][,colour=grey]
npy:FILE[,y=FILE][,scale=255][,colour=grey]
npz:FILE[,x=NAME][,y=NAME][,scale=255][,colour=grey]
csv:FILE[,label=NAME][,header=yes][,scale=255]
mat:FILE[,x=NAME][,y=NAME][,examples=columns][,shape=20x20][,order=rows][,scale=255][,colour=grey]
patches:FILE.mat[,size=12][,n=100000][,x=NAME][,whiten=none]
images:DIR[,size=12][,n=100000][,whiten=zca][,epsilon=0.5]
leaves[:size=12][,n=100000][,whiten=none]`
	if got := Kinds(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzSpec: no panic, messages of one line, and the canonical form means the
// same and is its own canonical form.
func FuzzSpec(f *testing.F) {
	for _, text := range []string{"digits", "digits:n=5", "mnist:/data,split=test", "idx:C:\\a,b=c,", "npz:f,y=b,x=a,", "infmnist:,n=", ":", "npy:a,x,y=1", "images:d,size=whole,whiten=none", "leaves:whiten=standard"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSpec(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !strings.Contains(text, "\n") {
				t.Errorf("%q: message of several lines: %v", text, err)
			}
			return
		}
		again, err := parseSpec(s.String())
		if err != nil || again.String() != s.String() || again.path != s.path || !reflect.DeepEqual(again.options, s.options) {
			t.Errorf("%q: canonical form %q: %v, %q", text, s, err, again)
		}
	})
}
