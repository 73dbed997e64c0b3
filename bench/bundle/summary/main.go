// Summary writes what a run of the GPU bundle's run.sh has found as Markdown:
//
//	summary FOLDER >FOLDER/summary.md
//
// It reads the files of the folder: machine.tsv and parts.tsv of run.sh,
// bench-*.json and cublas.json with the keys of `unitscope bench --json`, and
// peers.jsonl. Results of another device than machine.tsv names are an error, so
// that those of an emulated card are never taken for a card's.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/bench"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: summary FOLDER")
		os.Exit(2)
	}
	out := bufio.NewWriter(os.Stdout)
	err := summarize(out, os.Args[1])
	if err = errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(1)
	}
}

// run is what a folder of results holds.
type run struct {
	machine [][]string // name, value
	parts   [][]string // name, verdict, seconds, reason
	results []bench.Result
	cublas  []bench.Result
	peers   []peer
}

// peer is a line of peers.jsonl.
type peer struct {
	Peer    string  `json:"peer"`
	Work    string  `json:"work"` // of train_torch.py
	Mode    string  `json:"mode"` // of ascent_torch.py
	Graph   bool    `json:"graph"`
	Rows    int     `json:"rows"`
	Batch   int     `json:"batch"`
	GFLOPs  float64 `json:"gflops"`
	RowRate float64 `json:"row_steps_per_s"`
	Rate    float64 `json:"per_s"`
}

func summarize(w io.Writer, folder string) error {
	r, err := read(folder)
	if err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	r.writeHead(w)
	r.writeParts(w)
	r.writeResults(w)
	r.writeCeilings(w)
	r.writePeers(w)
	return nil
}

func read(folder string) (*run, error) {
	r := &run{}
	var err error
	if r.machine, err = readTable(filepath.Join(folder, "machine.tsv"), 2); err != nil {
		return nil, err
	}
	if r.parts, err = readTable(filepath.Join(folder, "parts.tsv"), 4); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(folder, "bench-*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		var results []bench.Result
		if err := readJSON(file, &results); err != nil {
			return nil, err
		}
		r.results = append(r.results, results...)
	}
	if err := readJSON(filepath.Join(folder, "cublas.json"), &r.cublas); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	r.peers, err = readPeers(filepath.Join(folder, "peers.jsonl"))
	return r, err
}

// readTable reads lines of so many columns, separated by tabs.
func readTable(path string, columns int) (rows [][]string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(row) != columns {
			return nil, fmt.Errorf("%s: %d columns in %.80q, want %d", path, len(row), line, columns)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func readPeers(path string) (peers []peer, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range strings.Lines(string(text)) {
		var p peer
		// PyTorch's compiler speaks on the same output.
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &p) == nil {
			peers = append(peers, p)
		}
	}
	return peers, err
}

// known is a value of machine.tsv, "" if it is not there.
func (r *run) known(name string) string {
	for _, row := range r.machine {
		if row[0] == name {
			return row[1]
		}
	}
	return ""
}

// emulated says whether the run was on an emulated card.
func (r *run) emulated() bool { return r.known("kind") != "card" }

// check refuses results of another device than the one that the run was on.
func (r *run) check() error {
	card, device := r.known("card"), r.known("device")
	if card == "" || device == "" {
		return errors.New("machine.tsv does not say the card and its device")
	}
	if emulated := strings.HasPrefix(card, "Emulated"); emulated != r.emulated() {
		return fmt.Errorf("machine.tsv calls %s a %s", card, r.known("kind"))
	}
	for _, result := range slices.Concat(r.results, r.cublas) {
		// What the processor does is said to be the processor's.
		if result.Device != "cpu" && (result.Hardware != card || result.Device != device) {
			return fmt.Errorf("%s %s is of %s (%s), and the run was on %s (%s)", result.Workload, result.Variant, result.Device, result.Hardware, device, card)
		}
	}
	return nil
}

func (r *run) writeHead(w io.Writer) {
	if r.emulated() {
		fmt.Fprint(w, "# unitscope on an emulated card\n\n**No card was here. That parts passed says that the programs and this bundle work; times and rates mean nothing.**\n\n")
	} else {
		fmt.Fprintf(w, "# unitscope on %s\n\n", r.known("card"))
	}
	if r.known("quick") == "yes" {
		fmt.Fprint(w, "A quick run: short tests, and too few steps for rates that count.\n\n")
	}
	fmt.Fprint(w, "| | |\n|---|---|\n")
	for _, row := range r.machine {
		fmt.Fprintf(w, "| %s | %s |\n", row[0], cell(row[1]))
	}
}

// cell is text that does not end a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }

func (r *run) writeParts(w io.Writer) {
	count := map[string]int{}
	for _, part := range r.parts {
		count[part[1]]++
	}
	fmt.Fprintf(w, "\n## Parts\n\n%d passed, %d failed, %d skipped.\n\n| part | | seconds | |\n|---|---|---|---|\n", count["passed"], count["failed"], count["skipped"])
	for _, part := range r.parts {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", part[0], strings.ReplaceAll(part[1], "failed", "**failed**"), part[2], cell(part[3]))
	}
}

// large is the product whose rate in fp32 stands for the most a card can do.
func (r *run) large() float64 {
	most := 0.0
	for _, c := range r.cublas {
		if c.Precision == "fp32" {
			most = max(most, c.GFLOPs)
		}
	}
	return most
}

func (r *run) writeResults(w io.Writer) {
	fmt.Fprint(w, "\n## Workloads, fp32\n\n")
	if len(r.results) == 0 {
		fmt.Fprintln(w, "None.")
		return
	}
	best := map[string]bench.Pair{}
	for _, pair := range bench.Compare(r.results) {
		best[pair.Ours.Workload+" "+pair.Ours.Variant] = pair
	}
	fmt.Fprint(w, "| workload | variant | device | seconds | GFLOP/s | of cuBLAS's largest | rate | PyTorch's best | against it |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, ours := range r.results {
		if ours.Peer != "" {
			continue
		}
		share, peerName, ratio := "-", "-", "-"
		if large := r.large(); large > 0 && ours.GFLOPs > 0 {
			share = fmt.Sprintf("%.0f %%", 100*ours.GFLOPs/large)
		}
		if pair, ok := best[ours.Workload+" "+ours.Variant]; ok {
			peerName, ratio = pair.Best.Variant, fmt.Sprintf("%.2fx", pair.Ratio)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %.4g | %s | %s | %.4g %s/s | %s | %s |\n", ours.Workload, ours.Variant, ours.Device,
			ours.Seconds, rate(ours.GFLOPs), share, ours.PerSecond, ours.Unit, peerName, ratio)
	}
}

func rate(gflops float64) string {
	if gflops == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g", gflops)
}

func (r *run) writeCeilings(w io.Writer) {
	fmt.Fprint(w, "\n## What the card can do at most\n\n")
	if len(r.cublas) == 0 {
		fmt.Fprintln(w, "Not measured: no PyTorch for this card.")
		return
	}
	fmt.Fprint(w, "| | | precision | GFLOP/s | rate |\n|---|---|---|---|---|\n")
	for _, c := range r.cublas {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %.4g %s/s |\n", c.Workload, c.Variant, c.Precision, rate(c.GFLOPs), c.PerSecond, c.Unit)
	}
}

func (r *run) writePeers(w io.Writer) {
	if len(r.peers) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Peers, alone\n\n| program | work | | GFLOP/s | rate |\n|---|---|---|---|---|\n")
	for _, p := range r.peers {
		work, how, per := fmt.Sprintf("ascent, %d rows", p.Rows), p.Mode, p.RowRate
		if p.Work != "" {
			work, how, per = fmt.Sprintf("%s, batches of %d", p.Work, p.Batch), "eager", p.Rate
			if p.Graph {
				how = "graph"
			}
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %.4g/s |\n", cell(p.Peer), work, how, rate(p.GFLOPs), per)
	}
}
