package schema

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/network"
)

// The files of models, and of those that make them.
const (
	Record          = "run.json" // of every run
	Model           = network.FileName
	Checkpoint      = "checkpoint.safetensors" // while a model trains
	PretrainedModel = "pretrained.safetensors" // a trial's, before its fine-tuning
	Log             = "log.csv"
	FineTuneTable   = "finetune.csv" // the log of a trial's fine-tuning
	LearningTable   = "learning.csv"
	ScoresTable     = "scores.csv"
	TrialTable      = "trial.csv"
	SearchTable     = "search.csv"
)

// Arrays, and the tables beside them.
const (
	AscentArrays      = "ascent.npz"
	RestartsTable     = "restarts.csv"
	CurvesArrays      = "curves.npz"
	SamplesArrays     = "samples.npz"
	MixingTable       = "mixing.csv"
	CombineArrays     = "combine.npz"
	ExamplesArrays    = "examples.npz"
	ModesTable        = "modes.csv"
	ThresholdTable    = "modes-sweep.csv"
	SelectivityArrays = "selectivity.npz"
	SelectivityTable  = "selectivity.csv"
	TuningArrays      = "tuning.npz"
	TuningTable       = "tuning.csv"
	ClassesTable      = "classes.csv"
	ConnectionsArrays = "connections.npz"
	ConnectionsTable  = "connections.csv"
	CompareArrays     = "compare.npz"
	CompareTable      = "compare.csv"
	LikelihoodTable   = "likelihood.csv"
	PartitionTable    = "partition.csv"
	RunsTable         = "runs.csv"
)

// Pictures. Each is there as SVG too, by [SVG].
const (
	FiltersPicture     = "filters.png"
	UnitsPicture       = "units.png"
	RestartsPicture    = "restarts.png"
	CurvesPicture      = "curves.png"
	MeansPicture       = "means.png"
	SamplesPicture     = "samples.png"
	DeviationsPicture  = "deviations.png"
	CombinePicture     = "combine.png"
	ExamplesPicture    = "examples.png"
	ModesPicture       = "modes.png"
	SelectivityPicture = "selectivity.png"
	TuningPicture      = "tuning.png"
	ComparePicture     = "compare.png"
	ActivationsPicture = "activations.png"
)

// Pages, and the files of a paper.
const (
	IndexPage = "index.html" // the first one of an HTML report
	Stages    = "stages.json"
	Summary   = "summary.md"
)

// The networks that modes are told of: the one in question, and its untrained control.
const (
	Trained   = "trained"
	Untrained = "untrained"
)

// ModelNames is the option of a figure's record that has what names of files call its
// models, with commas, in the order of its inputs. Without it, they are a DBN and an SDAE.
const ModelNames = "names of models"

// Climbed is the option of an ascent's record that says what it climbed where that is no
// unit, [Goals] or [Directions].
const (
	Climbed    = "climbed"
	Goals      = "goals"
	Directions = "directions"
)

// FigurePicture is the name of the picture of [TaskFigure].
func FigurePicture(number string) string { return "figure" + number + ".png" }

// SVG is the name of a picture as SVG.
func SVG(picture string) string {
	return strings.TrimSuffix(picture, filepath.Ext(picture)) + ".svg"
}

// IsModel is true for names of files that hold a network: our own, or as other
// frameworks name theirs. No kind of data has such names.
func IsModel(name string) bool {
	return slices.Contains([]string{filepath.Ext(Model), ".onnx", ".pt", ".pth", ".keras", ".h5"}, strings.ToLower(filepath.Ext(name)))
}

// LayerFile is the name of a file that a figure has of several layers:
// "layer2-samples.npz".
func LayerFile(layer int, name string) string { return ofLayer(strconv.Itoa(layer), name) }

// FamilyFile is the name of the arrays that belong to a layer of one of several networks,
// a model's kind or name, or [Trained] and [Untrained]: "dbn-layer1.npz".
func FamilyFile(family string, layer int) string { return ofFamily(family, strconv.Itoa(layer)) }

// FamilyRestarts is the name of the arrays of some units' restarts behind figures 1 and
// 2: "dbn-restarts.npz".
func FamilyRestarts(family string) string { return family + "-restarts.npz" }

// SimilarityPicture is the name of the picture of cosines between the restarts of a layer:
// "trained-layer1-similarity.png".
func SimilarityPicture(family string, layer int) string {
	return similarity(family, strconv.Itoa(layer))
}

// LayerPage is the name of a page of an HTML report that is split into one for each
// layer, of which it is the nth: "layer-01-dbn-1.html". The model is as in addresses.
func LayerPage(nth int, model string, layer int) string {
	return page(fmt.Sprintf("%02d-%s-%d", nth, model, layer))
}

func ofLayer(layer, name string) string      { return "layer" + layer + "-" + name }
func ofFamily(family, layer string) string   { return family + "-layer" + layer + ".npz" }
func similarity(family, layer string) string { return family + "-layer" + layer + "-similarity.png" }
func page(layer string) string               { return "layer-" + layer + ".html" }

// FigurePart is a file of arrays behind a figure.
type FigurePart struct {
	Model    string // what it calls the model; "" where the figure is of one
	Layer    int    // 0 for the last
	Restarts bool   // it is that of [FamilyRestarts]
	// Like is the file of [LayerFile] that it is like; "" for one of several models,
	// which the figure decides about.
	Like string
}

// figureFile are names of arrays behind figures.
var figureFile = regexp.MustCompile(`^(?:([a-z0-9-]{1,80})-layer([0-9]{1,4})\.npz|([a-z0-9-]{1,80})-restarts\.npz|layer([0-9]{1,4})-(samples\.npz|combine\.npz|ascent\.npz))$`)

// ParseFigureFile says what a file of arrays behind a figure is about. ok is false for
// any other file.
func ParseFigureFile(name string) (part FigurePart, ok bool) {
	m := figureFile.FindStringSubmatch(name)
	if m == nil {
		return part, false
	}
	part = FigurePart{Model: m[1] + m[3], Restarts: m[3] != "", Like: m[5]}
	part.Layer, _ = strconv.Atoi(m[2] + m[4])
	return part, true
}
