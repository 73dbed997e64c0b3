package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// checksumExamples is how many examples, evenly spaced, tell one data set
// from another.
const checksumExamples = 64

// checksum is 64 bits of the SHA-256 of a few examples.
func checksum(set dataset.Set) (string, error) {
	indices := dataset.Spread(set.Len(), checksumExamples)
	examples := make([]float32, len(indices)*set.Info().Size())
	if err := feed.Read(set, examples, indices); err != nil {
		return "", err
	}
	hash := sha256.New()
	var word [4]byte
	for _, x := range examples {
		binary.LittleEndian.PutUint32(word[:], math.Float32bits(x))
		hash.Write(word[:])
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// labelledChecksum is [checksum] of a few examples and of the same ones' labels.
func labelledChecksum(set dataset.Set) (string, error) {
	examples, err := checksum(set)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	fmt.Fprintln(hash, examples)
	for _, index := range dataset.Spread(set.Len(), checksumExamples) {
		label, ok := set.Label(index)
		fmt.Fprintln(hash, label, ok)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// modelChecksum is 64 bits of the SHA-256 of a network's parameters.
func modelChecksum(n *network.Network) (string, error) {
	layers := slices.Clone(n.Layers)
	if n.Output != nil {
		layers = append(layers, *n.Output)
	}
	hash := sha256.New()
	for _, l := range layers {
		for _, t := range []*tensor.Dense{l.Weight, l.Bias} {
			data, err := dense.Data(t)
			if err != nil {
				return "", err
			}
			if err := binary.Write(hash, binary.LittleEndian, data); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}
