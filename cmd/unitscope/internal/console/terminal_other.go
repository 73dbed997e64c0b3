//go:build !unix

package console

import "github.com/mattn/go-sixel"

// knowsSixels asks the terminal whether it draws sixels.
func knowsSixels() (bool, error) { return sixel.IsSupported(), nil }

// largestSixels asks the terminal what size of sixels it draws; here none says.
func largestSixels() (width, height int, err error) { return 0, 0, nil }

// cellSize asks the terminal how large a character is, in pixels; 0 if it does not
// say.
func cellSize() (width, height int, err error) {
	if width, height, err = sixel.CellSize(); err != nil {
		return 0, 0, nil
	}
	return width, height, nil
}
