package gpu

import "errors"

// ErrOutOfMemory is what an error wraps when a card has not enough free memory.
var ErrOutOfMemory = errors.New("out of memory on the card")
