package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errNoTracing means that this machine does not let a process trace its children.
var errNoTracing = errors.New("processes can't be traced here")

// The system calls that change what lasts in a folder, or make it last.
func changesFolder(call uint64) bool {
	return slices.Contains([]uint64{
		unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_RENAME, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2,
		unix.SYS_UNLINK, unix.SYS_UNLINKAT, unix.SYS_RMDIR, unix.SYS_MKDIR, unix.SYS_MKDIRAT,
	}, call)
}

// tracedRun is a run of the program whose every system call is seen.
type tracedRun struct {
	points int // calls so far that changesFolder is true for
	killed bool
	status syscall.WaitStatus
	stderr string
}

// runTraced runs the program in a folder and kills it, as kill -9 does, before the
// system call that is its killAt-th of those that changesFolder is true for; 0 kills
// it never. strace could do this, but counts the calls of every thread by itself.
func runTraced(t *testing.T, dir string, killAt int, args ...string) (tracedRun, error) {
	t.Helper()
	// A process is traced by the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	stderr, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		return tracedRun{}, err
	}
	defer stderr.Close()
	command := exec.Command("unitscope", args...)
	command.Dir, command.Stderr = dir, stderr
	command.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
			err = fmt.Errorf("%w: %w", errNoTracing, err)
		}
		return tracedRun{}, err
	}
	run, err := trace(command.Process.Pid, killAt)
	if err != nil {
		_ = command.Process.Kill()
		return run, err
	}
	text, err := os.ReadFile(stderr.Name())
	run.stderr = strings.TrimSpace(string(text))
	return run, err
}

// trace lets a process that has just stopped for its tracer run, and all its threads.
func trace(pid, killAt int) (run tracedRun, err error) {
	const ofCall = 0x80 // by PTRACE_O_TRACESYSGOOD
	if _, err := syscall.Wait4(pid, &run.status, unix.WALL, nil); err != nil {
		return run, err
	}
	if err := syscall.PtraceSetOptions(pid, unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_EXITKILL); err != nil {
		return run, fmt.Errorf("%w: %w", errNoTracing, err)
	}
	started := map[int]bool{pid: true}
	for thread, signal := pid, 0; ; {
		if err := syscall.PtraceSyscall(thread, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return run, err
		}
		for signal = 0; ; {
			var status syscall.WaitStatus
			// The process is a group of its own: other tests wait for their children.
			if thread, err = syscall.Wait4(-pid, &status, unix.WALL, nil); err != nil {
				if errors.Is(err, syscall.EINTR) {
					continue
				}
				return run, err
			}
			if status.Exited() || status.Signaled() {
				if thread == pid {
					run.status = status
					return run, nil
				}
				continue
			}
			switch stop := status.StopSignal(); {
			case stop == syscall.SIGTRAP|ofCall:
				call, entered, err := stoppedCall(thread)
				if err != nil {
					return run, err
				}
				if entered && changesFolder(call) {
					run.points++
					if run.points == killAt {
						run.killed = true
						if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
							return run, err
						}
						continue
					}
				}
			case stop == syscall.SIGTRAP: // a new thread
			case stop == syscall.SIGSTOP && !started[thread]:
				started[thread] = true
			default:
				signal = int(stop)
			}
			break
		}
	}
}

// stoppedCall is the system call that a stopped thread is about to make, or has made.
func stoppedCall(thread int) (call uint64, entered bool, err error) {
	const entry = 1 // PTRACE_SYSCALL_INFO_ENTRY
	var info struct {
		op       uint8
		_        [3]uint8
		arch     uint32
		ip, sp   uint64
		call     uint64
		argument [6]uint64
	}
	_, _, code := syscall.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(thread), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if code == syscall.ESRCH {
		return 0, false, nil // killed meanwhile
	}
	if code != 0 {
		return 0, false, fmt.Errorf("%w: %w", errNoTracing, code)
	}
	return info.call, info.op == entry, nil
}
