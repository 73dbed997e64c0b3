// Package memory says how much memory this process may still allocate. A Go
// program whose allocation the system refuses is ended at once and can't clean
// up, so that what needs much memory asks here before it allocates.
//
// On Linux it is the least of what the machine has left, what the control groups
// (versions 1 and 2) of a container or a batch job leave, and what `ulimit -v`
// and `ulimit -d` leave. On other systems it is unknown.
package memory

// Available is the number of bytes that this process may still allocate: memory
// that it holds and has no use for counts as free, and so do files that the system
// keeps in memory only because nothing else needs it. What other processes take
// meanwhile can't be foreseen. It is false where the system does not say.
func Available() (bytes uint64, ok bool) { return available() }

// Total is the number of bytes that this process may hold at most, including what
// it holds: the least of the machine's memory and all limits. It is false where
// the system does not say.
func Total() (bytes uint64, ok bool) { return total() }
