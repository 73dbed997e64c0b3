package console

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilSignal is a context that ends with the first Ctrl-C, SIGTERM or hang-up (a
// terminal that was closed): what is in work then saves where it is. A second Ctrl-C
// or SIGTERM ends the program at once; a closed terminal hangs up more than once,
// and that changes nothing. What was ignored when the program began stays ignored,
// as nohup wants it. From then on, writing to a pipe that nobody reads is an error
// of the write, and does not end the program.
func UntilSignal() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	var again []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(s) {
			continue
		}
		signal.Notify(signals, s)
		if s != syscall.SIGHUP {
			again = append(again, s)
		}
	}
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		select {
		case <-signals:
			if len(again) > 0 {
				signal.Reset(again...)
			}
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
