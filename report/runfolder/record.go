package runfolder

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/schema"
)

// Format is the version of the layout of run folders.
const Format = "unitscope-run/1"

// Status says how far a run came.
type Status string

// The statuses.
const (
	Running  Status = "running" // or it was killed
	Complete Status = "complete"
	// Clearing is the status while the files of an earlier run are removed, or it was
	// killed then: nothing in the folder is of this run.
	Clearing Status = "clearing"
)

// Record is run.json: how the results of a folder were made.
type Record struct {
	Format   string            `json:"format"`
	Status   Status            `json:"status"`
	Task     string            `json:"task"`    // the command's name: "train dbn"
	Command  []string          `json:"command"` // as it was called
	Options  map[string]string `json:"options"` // every option, resolved
	Seed     uint64            `json:"seed"`
	Device   Device            `json:"device"`
	Versions Versions          `json:"versions"`
	Started  time.Time         `json:"started"`
	Finished time.Time         `json:"finished,omitzero"`
	// Seconds is how long the run took, the last call of one that was resumed. A
	// complete run has it, be it 0.
	Seconds *float64 `json:"seconds,omitempty"`
	// WorkingFolder is where the command was called, which the relative paths of
	// Command, Options and Inputs start from; "" if that is not known.
	WorkingFolder string       `json:"working_folder,omitempty"`
	Data          []Data       `json:"data,omitempty"`  // what it read of data sets
	Model         *Model       `json:"model,omitempty"` // the one of another framework that it read
	Inputs        []FileDigest `json:"inputs"`
	Outputs       []FileDigest `json:"outputs"`
	// Planned are the files that a run may write which is not complete: names, or
	// patterns as those of path.Match. The status "clearing" has those to be removed.
	Planned []string `json:"planned,omitempty"`
	// Temporary are files that a complete run has removed, or was killed over.
	Temporary []string `json:"temporary,omitempty"`
	// Folders are run folders below this one that belong to the run, with slashes.
	Folders []string `json:"folders,omitempty"`
	// Warnings are what people were told while it ran, see [Folder.Warn].
	Warnings []Warning `json:"warnings,omitempty"`
	began    time.Time // see Start; of this process alone
}

// Warning says that a result is probably not what was meant.
type Warning struct {
	About string `json:"about"` // what it is of, in a word or two: "data", "layer 2"
	Text  string `json:"text"`  // a sentence without a full stop
}

// Device is the part of engine.Info that says what computed the results.
type Device struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Features    []string `json:"features"`
}

// Versions names the program that made the results.
type Versions struct {
	Program  string `json:"program"` // module version, or the commit of a local build
	Go       string `json:"go"`
	Platform string `json:"platform"` // as in GOOS/GOARCH
}

// FileDigest identifies a file by its content. An input's name is its path as it
// was given, an output's is relative to the folder.
type FileDigest struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// NewRecord begins the record of a run of the command task that starts now. It
// reads the input files once, to know their SHA-256.
func NewRecord(task string, command []string, options map[string]string, seed uint64, d engine.Info, inputs []string) (Record, error) {
	r := Record{
		Format: Format, Status: Running, Task: task,
		Command: command, Options: options, Seed: seed,
		Device:   Device{Name: d.Name, Description: d.Description, Features: d.Features},
		Versions: CurrentVersions(),
	}
	r.Start()
	if folder, err := os.Getwd(); err == nil {
		r.WorkingFolder = folder
	}
	for _, path := range inputs {
		in, err := DigestFile(path)
		if err != nil {
			return Record{}, err
		}
		r.Inputs = append(r.Inputs, in)
	}
	return r, nil
}

// Start makes the run one that starts now.
func (r *Record) Start() {
	r.began = time.Now()
	r.Started = r.began.UTC().Truncate(time.Second)
}

// finish makes the run complete now.
func (r *Record) finish() {
	now := time.Now()
	seconds := now.Sub(r.began).Round(time.Millisecond).Seconds()
	r.Status, r.Finished, r.Seconds = Complete, now.UTC().Truncate(time.Second), &seconds
}

// CurrentVersions are those of the running program; Program is "unknown" where
// it was built without them.
func CurrentVersions() Versions {
	v := Versions{Program: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Program = info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && v.Program == "(devel)" {
			v.Program = s.Value
		}
	}
	return v
}

// Verify makes sure that files of a complete run's folder are still what the run
// wrote: those named, or all if none is. A file that has changed, is missing, or is
// no regular file is an error that names it.
func Verify(path string, names ...string) error {
	r, err := ReadRecord(path)
	if err != nil {
		return err
	}
	if r.Status != Complete {
		return notComplete(path, r)
	}
	for _, name := range names {
		if !slices.ContainsFunc(r.Outputs, func(o FileDigest) bool { return o.Name == name }) {
			return fmt.Errorf("run folder %s: its run did not write %s", path, name)
		}
	}
	for _, o := range r.Outputs {
		if len(names) > 0 && !slices.Contains(names, o.Name) || !isFileName(o.Name) {
			continue
		}
		if err := checkFile(filepath.Join(path, o.Name), o); err != nil {
			return err
		}
	}
	return nil
}

// checkFile makes sure that a file is still what a run wrote.
func checkFile(path string, as FileDigest) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	// The size is looked at first: a device or a pipe has no end.
	if !info.Mode().IsRegular() || info.Size() != as.Bytes {
		return fmt.Errorf("%s is not the file that the run wrote, by its size or kind", path)
	}
	if d, err := DigestFile(path); err != nil || d.SHA256 != as.SHA256 {
		return errors.Join(fmt.Errorf("%s has changed since the run wrote it: its SHA-256 is not that of %s", path, schema.Record), err)
	}
	return nil
}

// DigestFile reads a file and returns its length and SHA-256.
func DigestFile(path string) (FileDigest, error) {
	f, err := os.Open(path)
	if err != nil {
		return FileDigest{}, err
	}
	defer f.Close()
	d := &digest{sum: sha256.New()}
	if _, err := io.Copy(d, f); err != nil {
		return FileDigest{}, fmt.Errorf("read %s: %w", path, err)
	}
	return d.file(path), nil
}

func (f *Folder) writeRecord(r Record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("run folder %s: %w", f.path, err)
	}
	return writeWhole(f.Path(schema.Record), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// maxRecord bounds what ReadRecord reads; a record is some kilobytes long.
const maxRecord = 16 << 20

// ReadRecord reads the record of the run folder at path. An error that wraps
// fs.ErrNotExist means that no run was made there.
func ReadRecord(path string) (Record, error) {
	name := filepath.Join(path, schema.Record)
	info, err := os.Stat(name)
	if err != nil {
		return Record{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxRecord {
		return Record{}, fmt.Errorf("%s: not the record of a run", name)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return Record{}, err
	}
	r, err := parseRecord(text)
	if err != nil {
		return Record{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func parseRecord(text []byte) (Record, error) {
	var r Record
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&r); err != nil {
		return Record{}, errors.New("not the record of a run: " + err.Error())
	}
	if r.Format != Format {
		return Record{}, fmt.Errorf("format %.40q, this version reads %q", r.Format, Format)
	}
	if r.Status != Running && r.Status != Complete && r.Status != Clearing {
		return Record{}, fmt.Errorf("status %.40q, want %q, %q or %q", r.Status, Running, Complete, Clearing)
	}
	return r, nil
}

// notComplete is the error about a run that was killed, or is still at work. Options has
// all that the command takes, --resume too if it can go on.
func notComplete(path string, r Record) error {
	how := ""
	if _, ok := r.Options["resume"]; ok {
		how = "go on with the command that began it and --resume, or "
	}
	return fmt.Errorf("run folder %s: its run (%q) is not complete; %sstart it anew with --force", path, r.Task, how)
}

// Require checks that the folder at path holds a complete run.
func Require(path string) error {
	r, err := ReadRecord(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("run folder %s: there is no run in it (no %s)", path, schema.Record)
	case err != nil:
		return err
	case r.Status != Complete:
		return notComplete(path, r)
	}
	return nil
}
