package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files are those of a run; a name with "" for its text is left out.
func files(changed map[string]string) map[string]string {
	all := map[string]string{
		"machine.tsv": "kind\tcard\ncard\tNVIDIA H100\ndevice\tcuda:0\nquick\tno\n",
		"parts.tsv":   "nvidia-smi\tpassed\t1\t\ntest-device\tfailed\t12\texit code 1: --- FAIL: TestX | Y\ncublas\tpassed\t3\t\n",
		"bench-product.json": `[{"workload": "product", "variant": "compute-9.0", "device": "cuda:0", "hardware": "NVIDIA H100", "precision": "fp32", "seconds": 2, "gflops": 30000, "per_second": 30, "unit": "products"},
			{"workload": "product", "variant": "torch-eager", "device": "cuda:0", "hardware": "NVIDIA H100", "peer": "torch 2", "precision": "fp32", "seconds": 3, "gflops": 20000, "per_second": 20, "unit": "products"}]`,
		"bench-deform.json": `[{"workload": "deform", "device": "cpu", "hardware": "a processor", "per_second": 140000, "unit": "examples"}]`,
		"cublas.json":       `[{"workload": "cublas", "variant": "8192x8192x8192", "device": "cuda:0", "hardware": "NVIDIA H100", "precision": "fp32", "gflops": 40000}, {"workload": "cublas", "device": "cuda:0", "hardware": "NVIDIA H100", "precision": "tf32", "gflops": 300000}]`,
		"peers.jsonl":       "compiling\n" + `{"peer": "torch 2", "work": "rbm", "graph": true, "batch": 100, "gflops": 5, "per_s": 7}` + "\n",
	}
	for name, text := range changed {
		all[name] = text
	}
	return all
}

func TestSummarize(t *testing.T) {
	const emulated = "kind\temulated\ncard\tEmulated GPU\ndevice\tcuda:0\nquick\tyes\n"
	for _, c := range []struct {
		name    string
		changed map[string]string
		has     []string // in the text
		hasNot  []string
		err     string
	}{
		{name: "a card", has: []string{
			"# unitscope on NVIDIA H100", "2 passed, 1 failed, 0 skipped", `| test-device | **failed** | 12 | exit code 1: --- FAIL: TestX \| Y |`,
			"| product | compute-9.0 | cuda:0 | 2 | 3e+04 | 75 % | 30 products/s | torch-eager | 1.50x |", "| deform |  | cpu |", "| cublas |  | tf32 | 3e+05 |", "| torch 2 | rbm, batches of 100 | graph | 5 | 7/s |",
		}, hasNot: []string{"No card was here", "quick run"}},
		{name: "no PyTorch", changed: map[string]string{"cublas.json": "", "peers.jsonl": ""}, has: []string{"| - |", "Not measured"}, hasNot: []string{"Peers, alone"}},
		{name: "nothing timed", changed: map[string]string{"bench-product.json": "", "bench-deform.json": ""}, has: []string{"None."}},
		{name: "an emulated card", changed: map[string]string{
			"machine.tsv": emulated, "cublas.json": "",
			"bench-product.json": `[{"workload": "product", "device": "cuda:0", "hardware": "Emulated GPU", "per_second": 1}]`,
		}, has: []string{"# unitscope on an emulated card", "No card was here", "A quick run"}},
		{name: "an emulated card's results among a card's", changed: map[string]string{"bench-product.json": `[{"workload": "product", "device": "cuda:0", "hardware": "Emulated GPU", "per_second": 1}]`}, err: "product  is of cuda:0 (Emulated GPU), and the run was on cuda:0 (NVIDIA H100)"},
		{name: "a card's results among an emulated one's", changed: map[string]string{"machine.tsv": emulated}, err: "the run was on cuda:0 (Emulated GPU)"},
		{name: "another card", changed: map[string]string{"machine.tsv": "kind\tcard\ncard\tNVIDIA H100\ndevice\tcuda:1\n"}, err: "is of cuda:0"},
		{name: "an emulated card that is called one", changed: map[string]string{"machine.tsv": "kind\tcard\ncard\tEmulated GPU\ndevice\tcuda:0\n"}, err: "calls Emulated GPU a card"},
		{name: "no machine", changed: map[string]string{"machine.tsv": "\t\n"}, err: "does not say"},
		{name: "a broken table", changed: map[string]string{"parts.tsv": "x\ty\n"}, err: "2 columns"},
		{name: "a broken file", changed: map[string]string{"cublas.json": "["}, err: "cublas.json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			for name, text := range files(c.changed) {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			err := summarize(&out, folder)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range c.has {
				if !strings.Contains(out.String(), text) {
					t.Errorf("lacks %q:\n%s", text, &out)
				}
			}
			for _, text := range c.hasNot {
				if strings.Contains(out.String(), text) {
					t.Errorf("has %q:\n%s", text, &out)
				}
			}
		})
	}
}
