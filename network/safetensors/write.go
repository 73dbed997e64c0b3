package safetensors

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// Write writes tensors as F32, and metadata if there is any. The same content
// gives the same bytes whatever the order of tensors: names and metadata are
// sorted, and the header is padded with spaces so that the numbers begin at a
// multiple of 8 bytes.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i, t := range sorted {
		if err := t.check(); err != nil {
			return fmt.Errorf("safetensors: write tensor %q: %w", t.Name, err)
		}
		if i > 0 && sorted[i-1].Name == t.Name {
			return fmt.Errorf("safetensors: write tensor %q: there are two of that name", t.Name)
		}
	}
	text, err := formatHeader(sorted, metadata)
	if err != nil {
		return fmt.Errorf("safetensors: write: %w", err)
	}
	b := bufio.NewWriterSize(w, 1<<16)
	// bufio remembers the first error; Flush reports it.
	b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text))))
	b.Write(text)
	for _, t := range sorted {
		for _, x := range t.Data {
			if b.Available() < 4 {
				if err := b.Flush(); err != nil {
					return err
				}
			}
			b.Write(binary.LittleEndian.AppendUint32(b.AvailableBuffer(), math.Float32bits(x)))
		}
	}
	return b.Flush()
}

func (t Tensor) check() error {
	if t.Name == metadataKey {
		return errors.New("the name is taken by the format")
	}
	if !utf8.ValidString(t.Name) {
		return errors.New("the name is not UTF-8")
	}
	size := uint64(1)
	for _, n := range t.Shape {
		if n < 0 {
			return fmt.Errorf("shape %v has a negative entry", t.Shape)
		}
		var hi uint64
		if hi, size = bits.Mul64(size, uint64(n)); hi != 0 {
			return fmt.Errorf("shape %v overflows", t.Shape)
		}
	}
	if size != uint64(len(t.Data)) {
		return fmt.Errorf("shape %v with %d numbers", t.Shape, len(t.Data))
	}
	return nil
}

// formatHeader writes the header by hand, since the order of its keys is the
// order of the data.
func formatHeader(sorted []Tensor, metadata map[string]string) ([]byte, error) {
	if most := max(len(sorted), len(metadata)); most > maxEntries {
		return nil, fmt.Errorf("%d tensors or strings, at most %d can be read back", most, maxEntries)
	}
	text := []byte{'{'}
	if len(metadata) > 0 {
		text = append(text, quote(metadataKey)+":{"...)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
				return nil, fmt.Errorf("metadata %q is not UTF-8", key)
			}
			if i > 0 {
				text = append(text, ',')
			}
			text = append(text, quote(key)+":"+quote(metadata[key])...)
		}
		text = append(text, '}')
	}
	var offset int64
	for _, t := range sorted {
		if len(text) > 1 {
			text = append(text, ',')
		}
		shape, err := json.Marshal(append([]int{}, t.Shape...))
		if err != nil {
			return nil, err
		}
		end := offset + 4*int64(len(t.Data))
		text = fmt.Appendf(text, `%s:{"dtype":"F32","shape":%s,"data_offsets":[%d,%d]}`, quote(t.Name), shape, offset, end)
		offset = end
	}
	text = append(text, '}')
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("the header is %d bytes long, at most %d can be read back", len(text), maxHeader)
	}
	return text, nil
}

// quote writes a JSON string. Marshalling a valid string can't fail.
func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}
