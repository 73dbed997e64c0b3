// Package emulatortest runs kernels on the emulated driver, for tests. It needs
// make and a C++ compiler; without them tests are skipped, unless
// UNITSCOPE_REQUIRE names emulator.
package emulatortest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Library builds the emulated driver with our kernels, if it isn't built yet, and
// returns its path: what UNITSCOPE_CUDA_DRIVER is set to.
func Library(t testing.TB) string {
	t.Helper()
	return build(t, "emulator", "libcuda_emulated.so")
}

// WrongLibrary is [Library] with the deliberately wrong kernels that the checks
// are tested with, and the path of their PTX.
func WrongLibrary(t testing.TB) (library, ptx string) {
	t.Helper()
	library = build(t, "emulator-tests", "libcuda_wrong.so")
	return library, filepath.Join(folder(), "emulator", "testdata", "wrong.ptx")
}

// folder is that of package kernels.
func folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

func build(t testing.TB, target, file string) string {
	t.Helper()
	for _, tool := range []string{"make", "g++", "cc"} {
		if _, err := exec.LookPath(tool); err != nil {
			if required := strings.Split(os.Getenv("UNITSCOPE_REQUIRE"), ","); slices.Contains(required, "emulator") {
				t.Fatalf("the emulated driver can't be built: %v", err)
			}
			t.Skipf("the emulated driver can't be built: %v", err)
		}
	}
	command := exec.Command("make", "--no-print-directory", "-C", folder(), target)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("make -C kernels %s: %v\n%s", target, err, out)
	}
	return filepath.Join(folder(), "emulator", "build", file)
}

// Session is a process that launches kernels of one image through a driver. After
// a launch that failed it can't be used any more, as a CUDA context can't.
type Session struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// Start starts a session with a driver library and the image in a file. The
// environment is added to this process's own.
func Start(t testing.TB, library, image string, environment ...string) *Session {
	t.Helper()
	build(t, "emulator-tests", "client")
	command := exec.Command(filepath.Join(folder(), "emulator", "build", "client"), library, image)
	command.Env = append(os.Environ(), environment...)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := command.Wait(); err != nil {
			t.Errorf("the program that launches kernels: %v", err)
		}
	})
	return &Session{in: in, out: bufio.NewReader(out)}
}

// Unwritten is an argument of a launch: device memory of so many bytes in which
// nothing has been written.
type Unwritten int

// Launch launches an entry of the image and waits for it. A slice is copied to
// device memory and back, and the kernel gets its address; nil is a null pointer;
// numbers are passed as they are.
func (s *Session) Launch(entry string, blocks, threads int, arguments ...any) error {
	request := binary.LittleEndian.AppendUint32(nil, uint32(len(entry)))
	request = append(request, entry...)
	for _, n := range []int{blocks, threads, len(arguments)} {
		request = binary.LittleEndian.AppendUint32(request, uint32(n))
	}
	for _, a := range arguments {
		var err error
		if request, err = appendArgument(request, a); err != nil {
			return err
		}
	}
	if _, err := s.in.Write(request); err != nil {
		return fmt.Errorf("launch %s: %w", entry, err)
	}
	return s.answer(entry, arguments)
}

func appendArgument(request []byte, a any) ([]byte, error) {
	kind, size := byte('s'), binary.Size(a)
	switch a := a.(type) {
	case nil:
		return binary.LittleEndian.AppendUint64(append(request, 'n'), 0), nil
	case Unwritten:
		return binary.LittleEndian.AppendUint64(append(request, 'u'), uint64(a)), nil
	case []float32, []float64, []int32, []uint32, []uint64:
		kind = 'b'
	}
	request = binary.LittleEndian.AppendUint64(append(request, kind), uint64(size))
	request, err := binary.Append(request, binary.LittleEndian, a)
	if err != nil {
		return nil, fmt.Errorf("launch: argument of type %T: %w", a, err)
	}
	return request, nil
}

// answer reads what a launch has come to, and the arguments that it may have
// changed.
func (s *Session) answer(entry string, arguments []any) error {
	var header [2]uint32
	if err := binary.Read(s.out, binary.LittleEndian, &header); err != nil {
		return fmt.Errorf("launch %s: %w", entry, err)
	}
	message := make([]byte, header[1])
	if _, err := io.ReadFull(s.out, message); err != nil {
		return fmt.Errorf("launch %s: %w", entry, err)
	}
	if header[0] != 0 {
		return &Failure{Result: int(header[0]), Text: string(message)}
	}
	for _, a := range arguments {
		var err error
		switch a := a.(type) {
		case Unwritten:
			_, err = io.CopyN(io.Discard, s.out, int64(a))
		case []float32, []float64, []int32, []uint32, []uint64:
			err = binary.Read(s.out, binary.LittleEndian, a)
		}
		if err != nil {
			return fmt.Errorf("launch %s: %w", entry, err)
		}
	}
	return nil
}

// Failure is the error of a driver.
type Failure struct {
	Result int // CUresult
	Text   string
}

func (f *Failure) Error() string { return fmt.Sprintf("result %d: %s", f.Result, f.Text) }
