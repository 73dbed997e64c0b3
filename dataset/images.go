package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/photo"
)

// maxPictures is the most pixels of all pictures of a folder, which are kept in
// memory as 16-bit greys: 512 MiB.
const maxPictures = 1 << 28

// openImages opens a folder of photographs: patches of them, or with size=whole the
// pictures themselves.
func openImages(s spec, seed uint64) (Set, error) {
	if s.options["size"] == wholeSize {
		return openWhole(s)
	}
	s.setUsual("n", usualPatches)
	s.setUsual("whiten", byZCA)
	p, err := newPatches(s, seed)
	if err != nil {
		return nil, err
	}
	if p.whitening.method == byZCA && p.size > largestZCA {
		return nil, specErrorf("size=%d: want at most %d pixels with whiten=zca", p.size, largestZCA)
	}
	if err := p.readFolder(s.path); err != nil {
		return nil, err
	}
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	if p.whitening.method == byZCA {
		p.info.Stored += ", patches of them whitened"
	}
	return p, nil
}

// readFolder reads the pictures of a folder. One that can't be read, or is smaller
// than a patch, is left out with a warning, unless most are.
func (p *patches) readFolder(dir string) error {
	found, err := findPictures(dir)
	if err != nil {
		return err
	}
	var bad []string
	var seen sights
	labels := found.labels()
	pixels := 0
	for i, file := range found.files {
		q, err := readPhoto(file, p.size)
		if err != nil {
			bad = append(bad, strings.TrimPrefix(err.Error(), filepath.Clean(dir)+string(filepath.Separator)))
			continue
		}
		if pixels += len(q.Levels); pixels > maxPictures {
			return fmt.Errorf("%s: more than %d pixels in its pictures: use fewer or smaller ones", dir, maxPictures)
		}
		seen.add(q)
		p.pictures = append(p.pictures, picture{rows: q.Rows, cols: q.Cols, levels: q.Levels})
		p.info.Files = append(p.info.Files, file)
		if labels != nil {
			p.labels = append(p.labels, labels[i])
		}
	}
	if 2*len(bad) > len(found.files) {
		return fmt.Errorf("%s: %d of %d pictures can't be used: %s", dir, len(bad), len(found.files), listed(bad, maxListedLines))
	}
	if labels != nil {
		p.info.Classes = found.names
	}
	p.info.Stored = p.sizes() + " as grey levels"
	if len(bad) > 0 {
		p.info.Warnings = append(p.info.Warnings, fmt.Sprintf("pictures that can't be used and are left out, %d of %d: %s", len(bad), len(found.files), listed(bad, maxListedLines)))
	}
	seen.describe(&p.info)
	found.describe(&p.info, p.labels)
	return nil
}

// sights counts pictures that came out otherwise than their pixels are stored.
type sights struct{ coloured, transparent, turned, pages int }

func (s *sights) add(q photo.Picture) {
	if q.Coloured {
		s.coloured++
	}
	if q.Transparent {
		s.transparent++
	}
	if q.Turned {
		s.turned++
	}
	if q.More {
		s.pages++
	}
}

func (s *sights) describe(info *Info) {
	for _, c := range []struct {
		what  string
		count int
	}{
		{"pictures in colour, of which the luminance is taken", s.coloured},
		{"pictures that are transparent in parts, which are laid on white", s.transparent},
		{"pictures turned or mirrored as their EXIF orientation says", s.turned},
	} {
		if c.count > 0 {
			info.Remarks = append(info.Remarks, fmt.Sprintf("%s: %d of %d", c.what, c.count, len(info.Files)))
		}
	}
	if s.pages > 0 {
		info.Warnings = append(info.Warnings, fmt.Sprintf("TIFF files of several pages, of which the first is taken: %d of %d files", s.pages, len(info.Files)))
	}
}

// readPhoto reads a picture that holds at least one patch of this size.
func readPhoto(file string, size int) (q photo.Picture, err error) {
	err = withFile(file, func(f *os.File, fileSize int64) (err error) {
		q, err = photo.Decode(f, fileSize, size)
		return err
	})
	return q, err
}
