package torch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/unitscope/unitscope/network/internal/archive"
	"github.com/unitscope/unitscope/network/torch/internal/pickle"
)

// readZip reads what torch.save writes since PyTorch 1.6, a zip archive
//
//	NAME/data.pkl   the pickle
//	NAME/byteorder  "little"
//	NAME/data/KEY   the numbers of a storage
//
// in which nothing is compressed.
func readZip(source io.ReaderAt, size int64) (any, error) {
	a, err := archive.Open(source, size)
	if err != nil {
		return nil, err
	}
	folder, found := "", false
	for _, name := range a.Names() {
		above, rest, _ := strings.Cut(name, "/")
		switch {
		case rest == "data.pkl" && found:
			return nil, errors.New("zip archive: it has more than one data.pkl")
		case rest == "data.pkl":
			folder, found = above+"/", true
		case rest == "constants.pkl":
			return nil, errors.New("it is a TorchScript archive: save model.state_dict() with torch.save instead, or export the model as ONNX")
		}
	}
	if !found {
		return nil, errors.New("zip archive: it has no data.pkl as PyTorch's files do")
	}
	if a.Has(folder + "byteorder") {
		order, err := a.Read(folder+"byteorder", 16)
		if err != nil {
			return nil, err
		}
		if string(order) != "little" {
			return nil, fmt.Errorf("its numbers are in the order %.16q, want \"little\"", order)
		}
	}
	text, err := a.Read(folder+"data.pkl", pickle.MaxSize)
	if err != nil {
		return nil, err
	}
	value, _, err := pickle.Load(text, &objects{map[string]*storage{}, size, func(s *storage) (*io.SectionReader, error) {
		section, err := a.Section(folder + "data/" + s.key)
		if err == nil && section.Size()/s.of.bytes < s.length {
			err = fmt.Errorf("storage %.40q has %d bytes, want %d numbers of %d", s.key, section.Size(), s.length, s.of.bytes)
		}
		return section, err
	}})
	return value, err
}

// What files of before PyTorch 1.6 begin with: a number that nothing else begins with,
// and a version.
const (
	legacyMagic   = pickle.Long("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
	legacyVersion = int64(1001)
)

// readLegacy reads what torch.save wrote before version 1.6: pickles one after the
// other, two of what the file is, of what machine it was, of what was saved, and of the
// names of storages; and then each storage, its length as 8 bytes before it.
func readLegacy(source io.ReaderAt, size int64) (any, error) {
	text := make([]byte, min(size, 4*pickle.MaxSize))
	if n, err := source.ReadAt(text, 0); n < len(text) {
		return nil, err
	}
	at := map[string]*io.SectionReader{}
	o := &objects{map[string]*storage{}, size, func(s *storage) (*io.SectionReader, error) {
		if at[s.key] == nil {
			return nil, fmt.Errorf("storage %.40q is missing", s.key)
		}
		return at[s.key], nil
	}}
	var parts [5]any
	begin := int64(0)
	for i := range parts {
		value, length, err := pickle.Load(text[begin:], o)
		if i == 0 && value != legacyMagic {
			return nil, errors.New("it is neither a zip archive nor does it begin as older files of PyTorch do")
		}
		if err != nil {
			return nil, err
		}
		parts[i], begin = value, begin+int64(length)
	}
	if parts[1] != legacyVersion {
		return nil, fmt.Errorf("it is of a version other than %d, which is the only one known of older files", legacyVersion)
	}
	keys, ok := parts[4].(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("%s where the names of its storages are", pickle.Describe(parts[4]))
	}
	for _, k := range keys.Items {
		key, _ := k.(string)
		s := o.storages[key]
		if s == nil || at[key] != nil {
			return nil, fmt.Errorf("storage %.40q is of nothing, or there twice", key)
		}
		var length [8]byte
		if n, err := source.ReadAt(length[:], begin); n < len(length) {
			return nil, fmt.Errorf("storage %.40q: %w", key, err)
		}
		begin += int64(len(length))
		n := binary.LittleEndian.Uint64(length[:])
		if n != uint64(s.length) || n > uint64((size-begin)/s.of.bytes) {
			return nil, fmt.Errorf("storage %.40q has %d numbers, want %d, of a file that has room for %d", key, n, s.length, (size-begin)/s.of.bytes)
		}
		at[key] = io.NewSectionReader(source, begin, s.length*s.of.bytes)
		begin += s.length * s.of.bytes
	}
	return parts[3], nil
}
