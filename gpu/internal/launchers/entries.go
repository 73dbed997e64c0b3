package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// entry is a kernel that the host launches.
type entry struct {
	name, file string
	family     string // the kernels that share its list of parameters, for people
	arguments  string // the Go type of its arguments
	parameters []parameter
}

type parameter struct {
	name, cudaType string
	kind           kind
}

// kind is how a parameter is passed: the bytes that it takes on the card, its type in
// Go, and the format of what its slot of 8 bytes holds.
type kind struct {
	size         int
	goType, slot string
}

var (
	pointer = kind{8, "cu.DevicePtr", "uint64(%s)"}
	// The other types that a kernel's parameters have.
	kinds = map[string]kind{
		"int":          {4, "int", "uint64(uint32(int32(%s)))"},
		"long long":    {8, "int", "uint64(%s)"},
		"float":        {4, "float32", "uint64(math.Float32bits(%s))"},
		"unsigned int": {4, "uint32", "uint64(%s)"},
		"Key":          {8, "uint64", "%s"},
	}
)

// drawParameters are the last ones of every entry that draws random numbers.
var drawParameters = []string{"keys", "seed", "purpose", "step"}

func drawsLast(parameters []parameter) bool {
	at := len(parameters) - len(drawParameters)
	return at >= 0 && slices.EqualFunc(parameters[at:], drawParameters, func(p parameter, name string) bool { return p.name == name })
}

var (
	comments  = regexp.MustCompile(`//[^\n]*`)
	continued = regexp.MustCompile(`\\\n`)
	shared    = regexp.MustCompile(`(?m)^#define (\w+)_PARAMETERS\b(.*)$`)
	kernel    = regexp.MustCompile(`\bKERNEL (\w+)\(([^)]*)\)`)
)

// readEntries reads the entries of all kernels, in the order of file and line. A list
// of parameters that several share is a macro NAME_PARAMETERS of their file.
func readEntries(folder string) (entries []entry, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.cu"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no kernels in %s: %v", folder, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found, err := entriesOf(filepath.Base(file), string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		entries = append(entries, found...)
	}
	return entries, nil
}

func entriesOf(file, text string) (entries []entry, err error) {
	text = continued.ReplaceAllString(comments.ReplaceAllString(text, ""), " ")
	lists := map[string]string{}
	for _, m := range shared.FindAllStringSubmatch(text, -1) {
		lists[m[1]] = m[2]
	}
	for _, m := range kernel.FindAllStringSubmatch(text, -1) {
		e := entry{name: m[1], file: file, family: m[1], arguments: camel(m[1], false) + "Arguments"}
		list := m[2]
		if macro, ok := strings.CutSuffix(list, "_PARAMETERS"); ok {
			if list, ok = lists[macro]; !ok {
				return nil, fmt.Errorf("kernel %s: no macro %s_PARAMETERS above it", e.name, macro)
			}
			macro = strings.ToLower(macro)
			e.family, e.arguments = "every "+macro, camel(macro, false)+"Arguments"
		}
		if e.parameters, err = parametersOf(list); err != nil {
			return nil, fmt.Errorf("kernel %s: %w", e.name, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func parametersOf(list string) (parameters []parameter, err error) {
	for declared := range strings.SplitSeq(list, ",") {
		declared = strings.Join(strings.Fields(declared), " ")
		at := strings.LastIndexAny(declared, " *")
		if at < 0 {
			return nil, fmt.Errorf("parameter %q has no type", declared)
		}
		p := parameter{name: declared[at+1:], cudaType: strings.TrimSpace(declared[:at+1])}
		if strings.HasSuffix(p.cudaType, "*") {
			p.kind = pointer
		} else if p.kind = kinds[strings.TrimPrefix(p.cudaType, "const ")]; p.kind.size == 0 {
			return nil, fmt.Errorf("parameter %s has type %q, want a pointer or one of %v", p.name, p.cudaType, kinds)
		}
		parameters = append(parameters, p)
	}
	return parameters, nil
}

// camel writes a name_of_parts as Go does.
func camel(name string, exported bool) string {
	parts := strings.Split(name, "_")
	for i, p := range parts {
		if i > 0 || exported {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}
