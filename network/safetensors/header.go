package safetensors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"sort"
	"strconv"
	"unicode/utf8"
)

// header is what a file says about itself.
type header struct {
	metadata map[string]string
	entries  map[string]Entry
}

// parseHeader reads a header whose data section is dataSize bytes long.
func parseHeader(text []byte, dataSize int64) (*header, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the header is not UTF-8")
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("the header does not begin with {")
	}
	p := &parser{json.NewDecoder(bytes.NewReader(text))}
	p.UseNumber()
	h := &header{entries: map[string]Entry{}}
	if err := p.header(h); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if rest := bytes.TrimLeft(text[p.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, errors.New("header: something follows the closing }")
	}
	return h, checkLayout(h.entries, dataSize)
}

// parser walks the header token by token, because decoding into Go values
// would let duplicate and unknown keys through.
type parser struct{ *json.Decoder }

func (p *parser) header(h *header) error {
	described := false
	return p.object(func(key string) error {
		if key == metadataKey {
			if described {
				return fmt.Errorf("%s appears twice", metadataKey)
			}
			described = true
			var err error
			if h.metadata, err = p.strings(); err != nil {
				return fmt.Errorf("%s: %w", metadataKey, err)
			}
			return nil
		}
		if _, twice := h.entries[key]; twice {
			return fmt.Errorf("tensor %.200q appears twice", key)
		}
		if len(h.entries) == maxEntries {
			return fmt.Errorf("more than %d tensors", maxEntries)
		}
		e, err := p.entry(key)
		if err != nil {
			return fmt.Errorf("tensor %.200q: %w", key, err)
		}
		h.entries[key] = e
		return nil
	})
}

// entry reads the description of one tensor.
func (p *parser) entry(name string) (Entry, error) {
	e := Entry{Name: name}
	seen := map[string]bool{}
	err := p.object(func(key string) error {
		if seen[key] {
			return fmt.Errorf("%.40q appears twice", key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			dtype, err := p.string()
			e.Type = dtype
			return err
		case "shape":
			return p.array(func(n int64) error {
				if n > math.MaxInt {
					return fmt.Errorf("a dimension of %d is too large for this machine", n)
				}
				e.Shape = append(e.Shape, int(n))
				return nil
			})
		case "data_offsets":
			var offsets []int64
			err := p.array(func(n int64) error {
				if len(offsets) == 2 {
					return errors.New("data_offsets: more than two")
				}
				offsets = append(offsets, n)
				return nil
			})
			if err == nil && len(offsets) < 2 {
				err = errors.New("data_offsets: fewer than two")
			}
			if err == nil {
				e.from, e.to = offsets[0], offsets[1]
			}
			return err
		}
		return fmt.Errorf("unknown key %.40q", key)
	})
	if err != nil {
		return Entry{}, err
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			return Entry{}, fmt.Errorf("%s is missing", key)
		}
	}
	return e, e.check()
}

// check compares the entry's bytes with its shape and type.
func (e Entry) check() error {
	bitsOf, err := elementBits(e.Type)
	if err != nil {
		return err
	}
	for _, n := range e.Shape {
		hi, lo := bits.Mul64(uint64(bitsOf), uint64(n))
		if hi != 0 || lo > math.MaxInt64 {
			return fmt.Errorf("shape %v overflows", clip(e.Shape))
		}
		bitsOf = int64(lo)
	}
	if bitsOf%8 != 0 {
		return fmt.Errorf("%s %v does not end with a whole byte", e.Type, clip(e.Shape))
	}
	if size := bitsOf / 8; e.from > e.to || e.to-e.from != size {
		return fmt.Errorf("data_offsets %d..%d, want %d bytes for %s %v", e.from, e.to, size, e.Type, clip(e.Shape))
	}
	return nil
}

// clip keeps a hostile shape from filling an error message.
func clip(shape []int) []int { return shape[:min(len(shape), 8)] }

// checkLayout makes sure that the tensors fill the data section one after the
// other.
func checkLayout(entries map[string]Entry, dataSize int64) error {
	order := make([]Entry, 0, len(entries))
	for _, e := range entries {
		order = append(order, e)
	}
	sort.Slice(order, func(i, j int) bool {
		a, b := order[i], order[j]
		if a.from != b.from {
			return a.from < b.from
		}
		if a.to != b.to {
			return a.to < b.to
		}
		return a.Name < b.Name
	})
	var end int64
	for _, e := range order {
		switch {
		case e.to > dataSize:
			return fmt.Errorf("tensor %.200q: data_offsets %d..%d, the file holds %d bytes of data (truncated?)", e.Name, e.from, e.to, dataSize)
		case e.from < end:
			return fmt.Errorf("tensor %.200q: data_offsets %d..%d overlap another tensor's, which end at %d", e.Name, e.from, e.to, end)
		case e.from > end:
			return fmt.Errorf("tensor %.200q: data_offsets %d..%d leave a hole after %d", e.Name, e.from, e.to, end)
		}
		end = e.to
	}
	if end != dataSize {
		return fmt.Errorf("the tensors end at byte %d of %d bytes of data", end, dataSize)
	}
	return nil
}

// token reads the next token. Its errors are a line each and don't quote the
// header.
func (p *parser) token() (json.Token, error) {
	t, err := p.Token()
	if err != nil {
		return nil, fmt.Errorf("not JSON near byte %d", p.InputOffset())
	}
	return t, nil
}

func (p *parser) delimiter(want json.Delim) error {
	t, err := p.token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("want %s near byte %d", want, p.InputOffset())
	}
	return nil
}

// object reads an object; value reads the value of each key.
func (p *parser) object(value func(key string) error) error {
	if err := p.delimiter('{'); err != nil {
		return err
	}
	return p.members(value)
}

// members reads an object from behind its {.
func (p *parser) members(value func(key string) error) error {
	for p.More() {
		key, err := p.string()
		if err != nil {
			return err
		}
		if err := value(key); err != nil {
			return err
		}
	}
	return p.delimiter('}')
}

// array reads an array of whole numbers.
func (p *parser) array(element func(n int64) error) error {
	if err := p.delimiter('['); err != nil {
		return err
	}
	for p.More() {
		t, err := p.token()
		if err != nil {
			return err
		}
		number, ok := t.(json.Number)
		n, err := strconv.ParseUint(string(number), 10, 63)
		if !ok || err != nil {
			return fmt.Errorf("want a whole number of at most 63 bits near byte %d", p.InputOffset())
		}
		if err := element(int64(n)); err != nil {
			return err
		}
	}
	return p.delimiter(']')
}

func (p *parser) string() (string, error) {
	t, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("want a string near byte %d", p.InputOffset())
	}
	return s, nil
}

// strings reads an object whose values are strings; null is none.
func (p *parser) strings() (map[string]string, error) {
	t, err := p.token()
	if err != nil || t == nil {
		return nil, err
	}
	if t != json.Delim('{') {
		return nil, fmt.Errorf("want { or null near byte %d", p.InputOffset())
	}
	m := map[string]string{}
	err = p.members(func(key string) error {
		if _, twice := m[key]; twice {
			return fmt.Errorf("%.40q appears twice", key)
		}
		if len(m) == maxEntries {
			return fmt.Errorf("more than %d strings", maxEntries)
		}
		s, err := p.string()
		m[key] = s
		return err
	})
	return m, err
}
