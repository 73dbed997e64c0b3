//go:build cuda

package gpu

import (
	"fmt"
	"runtime"
	"strings"
)

// A device's driver calls are made by one goroutine, which has an OS thread of
// its own: a context belongs to a thread. What it is to do is handed over as
// tasks, and done in order.
type worker struct {
	tasks chan task
	reply chan error // to the one who waits; a device is used by one goroutine at a time

	// The rest belongs to the worker's goroutine.

	failed   error // the first error of a task that nobody waits for
	latest   label // the latest launch,
	launches int   // and how many there were since the card was last waited for
}

// task is something to do. Nobody waits for one that has a label; its error is
// kept, and after an error such tasks are not done any more.
type task struct {
	do   func() error
	what *label
}

// queued is how many tasks may wait before handing over another one does.
const queued = 1024

func startWorker() *worker {
	w := &worker{tasks: make(chan task, queued), reply: make(chan error, 1)}
	go w.work()
	return w
}

func (w *worker) work() {
	// The thread ends with the goroutine, and its context with it.
	runtime.LockOSThread()
	for t := range w.tasks {
		if t.what == nil {
			w.reply <- t.do()
		} else if w.failed == nil {
			if err := t.do(); err != nil {
				w.failed = fmt.Errorf("%s: %w", t.what, err)
			}
		}
	}
	w.reply <- nil
}

// wait has something done, and returns its error.
func (w *worker) wait(do func() error) error {
	w.tasks <- task{do: do}
	return <-w.reply
}

// post has something done later.
func (w *worker) post(what *label, do func() error) { w.tasks <- task{do: do, what: what} }

// end ends the worker, once everything is done.
func (w *worker) end() {
	close(w.tasks)
	<-w.reply
}

// blame keeps an error that came up while waiting for the card: one of the
// launches since the last time is to blame. It returns the error to report, the
// first one that there was.
func (w *worker) blame(err error) error {
	if err != nil && w.failed == nil {
		switch w.launches {
		case 0:
			w.failed = err
		case 1:
			w.failed = fmt.Errorf("%s: %w", &w.latest, err)
		default:
			w.failed = fmt.Errorf("%s, or one of %d launches before it (%s=1 tells which): %w", &w.latest, w.launches-1, syncVariable, err)
		}
	}
	w.launches = 0
	return w.failed
}

// label is what errors call an operation. Its text is only made if it is needed.
type label struct {
	operation string
	kernel    string
	blocks    int64
	operands  [4]named
}

// named is an operand of an operation; one without a name is not there.
type named struct {
	name       string
	rows, cols int
}

// String is, for instance, "gemm: dst 3x5, a 3x4, b 4x5: gemm_nn, grid 1".
func (l *label) String() string {
	var b strings.Builder
	b.WriteString(l.operation)
	separator := ": "
	for _, o := range l.operands {
		if o.name != "" {
			fmt.Fprintf(&b, "%s%s %dx%d", separator, o.name, o.rows, o.cols)
			separator = ", "
		}
	}
	if l.kernel != "" {
		fmt.Fprintf(&b, ": %s, grid %d", l.kernel, l.blocks)
	}
	return b.String()
}
