package main

import "io"

// closeInto closes c and reports its error unless there is one already.
func closeInto(err *error, c io.Closer) {
	if e := c.Close(); *err == nil {
		*err = e
	}
}
