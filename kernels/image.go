package kernels

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed compute_70.ptx
var compute70 string

//go:embed compute_80.ptx
var compute80 string

//go:embed compute_90a.ptx
var compute90a string

// MinimumDriver is the oldest driver that reads the images, as cuDriverGetVersion
// counts: they are PTX 8.4, of CUDA 12.4 (driver 550).
const MinimumDriver = 12040

// image is the kernels for a compute capability and what follows it.
type image struct {
	name         string
	major, minor int
	exact        bool // for this capability alone, as the "a" in its name says
	ptx          *string
}

// images lists the best first.
var images = [...]image{
	{"compute_90a", 9, 0, true, &compute90a},
	{"compute_80", 8, 0, false, &compute80},
	{"compute_70", 7, 0, false, &compute70},
}

// Image returns the PTX text of the best image for a card of this compute
// capability, and the image's name. A card older than 7.0 is an error.
func Image(major, minor int) (name, ptx string, err error) {
	for _, i := range images {
		same := major == i.major && minor == i.minor
		if same || !i.exact && (major > i.major || major == i.major && minor > i.minor) {
			return i.name, *i.ptx, nil
		}
	}
	return "", "", fmt.Errorf("compute capability %d.%d: the kernels need at least 7.0", major, minor)
}

// Entry is a kernel as a launch sees it.
type Entry struct {
	Name       string
	Parameters []Parameter
	MaxThreads int // of a block; 0 if the image doesn't say
}

// Parameter is one parameter of an entry.
type Parameter struct {
	Type string // as PTX has it: "u64" (pointers too), "u32", "f32"
	Size int    // bytes
}

// Entries reads the entries of PTX text: their names, the parameters in order,
// and their limit of threads. Every argument of a launch is packed by the size
// that stands here.
func Entries(ptx string) ([]Entry, error) {
	var entries []Entry
	words := ptxWords{strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ", "[", " [ ", "]", " ] ").Replace(ptx)}
	for word := words.next(); word != ""; word = words.next() {
		switch word {
		case ".entry":
			e := Entry{Name: words.next()}
			if err := e.readParameters(&words); err != nil {
				return nil, fmt.Errorf("ptx: entry %q: %w", e.Name, err)
			}
			entries = append(entries, e)
		case ".maxntid":
			n, err := strconv.Atoi(words.next())
			if err != nil || len(entries) == 0 {
				return nil, fmt.Errorf("ptx: a limit of threads (.maxntid) can't be read")
			}
			entries[len(entries)-1].MaxThreads = n
		}
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("ptx: no entries")
	}
	return entries, nil
}

// readParameters reads "( .param .type name , ... )". Our kernels take scalars and
// pointers only, so anything else is an error.
func (e *Entry) readParameters(words *ptxWords) error {
	if word := words.next(); word != "(" {
		return fmt.Errorf("%q instead of a list of parameters", word)
	}
	word := words.next()
	for word != ")" {
		kind := words.next()
		if word != ".param" {
			return fmt.Errorf("%q instead of a parameter", word)
		}
		size, known := sizes[kind]
		if !known {
			return fmt.Errorf("parameter %d has type %q, want one of 4 or 8 bytes", len(e.Parameters), kind)
		}
		e.Parameters = append(e.Parameters, Parameter{Type: kind[1:], Size: size})
		words.next() // its name
		if word = words.next(); word == "," {
			word = words.next()
		} else if word != ")" {
			return fmt.Errorf("%q after parameter %d", word, len(e.Parameters)-1)
		}
	}
	return nil
}

var sizes = map[string]int{
	".b32": 4, ".u32": 4, ".s32": 4, ".f32": 4,
	".b64": 8, ".u64": 8, ".s64": 8, ".f64": 8,
}

// ptxWords goes through text word by word, without making a slice of all.
type ptxWords struct{ rest string }

func (w *ptxWords) next() string {
	w.rest = strings.TrimLeft(w.rest, " \t\r\n")
	end := strings.IndexAny(w.rest, " \t\r\n")
	if end < 0 {
		end = len(w.rest)
	}
	word := w.rest[:end]
	w.rest = w.rest[end:]
	return word
}
