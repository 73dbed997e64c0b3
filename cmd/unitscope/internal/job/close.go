package job

import "io"

// CloseInto closes c and reports its error unless there is one already.
func CloseInto(err *error, c io.Closer) {
	if e := c.Close(); *err == nil {
		*err = e
	}
}
