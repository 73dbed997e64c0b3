package schema

import (
	"slices"
	"strings"

	"github.com/unitscope/unitscope/network"
)

// The commands, by their names in records. Those that train are [TaskTrain].
const (
	TaskFineTune          = "finetune"
	TaskSearch            = "search"
	TaskTrial             = "search trial" // of a search, in a folder of its own
	TaskAscent            = "visualize ascent"
	TaskSample            = "visualize sample"
	TaskCombine           = "visualize combine"
	TaskExamples          = "visualize examples"
	TaskRestarts          = "analyze restarts"
	TaskSelectivity       = "analyze selectivity"
	TaskTuning            = "analyze tuning"
	TaskConnections       = "analyze connections"
	TaskCompare           = "analyze compare"
	TaskLikelihood        = "analyze likelihood"
	TaskFigureSelectivity = figure + "selectivity"
	TaskDemo              = "demo"
	TaskPaper             = "paper"
	TaskLook              = "look"
	TaskReport            = "report"
)

const (
	figure = "figure "
	train  = "train "
)

// TaskTrain is the command that trains models of a kind.
func TaskTrain(kind network.Kind) string { return train + string(kind) }

// IsTraining is true for the commands of [TaskTrain].
func IsTraining(task string) bool {
	return slices.ContainsFunc(families(), func(k network.Kind) bool { return task == TaskTrain(k) })
}

// TaskFigure is the command that draws a figure of the paper, by its number.
func TaskFigure(number string) string { return figure + number }

// IsFigure is true for the commands that draw the figures of the paper.
func IsFigure(task string) bool { return strings.HasPrefix(task, figure) }

// families are the kinds of model that are trained.
func families() []network.Kind { return []network.Kind{network.DBN, network.SDAE} }

// Kinds are all kinds of run.
func Kinds() []Kind {
	filters := pictures(FiltersPicture)
	all := []Kind{
		{TaskFineTune, append(training(named(Log, fineTuneLog())), scores())},
		{TaskSearch, []File{search()}},
		{TaskTrial, append(training(trainingLog()), File{Name: PretrainedModel}, fineTuneLog(), trial())},
		{TaskAscent, append(pictures(UnitsPicture, RestartsPicture, CurvesPicture), ascent(), restarts(), curves())},
		{TaskSample, append(pictures(MeansPicture, SamplesPicture, DeviationsPicture), samples(), mixing())},
		{TaskCombine, append(pictures(CombinePicture), combination())},
		{TaskExamples, append(pictures(ExamplesPicture), examples())},
		{TaskRestarts, append(pictures(ModesPicture, similarity(Trained, "*"), similarity(Untrained, "*")),
			modes(), thresholds(), named(ofFamily(Trained, "*"), modesOfLayer()), named(ofFamily(Untrained, "*"), modesOfLayer()))},
		{TaskSelectivity, append(pictures(SelectivityPicture), selectivityMatrix(), selectivity())},
		{TaskTuning, append(pictures(TuningPicture), tuningArrays(), tuning(), classes())},
		{TaskConnections, []File{connectionArrays(), connections()}},
		{TaskCompare, append(pictures(ComparePicture, ActivationsPicture), compared(), comparison())},
		{TaskLikelihood, []File{likelihood(), partition(), runs()}},
		{TaskFigure("1"), append(pictures(FigurePicture("1")), figureArrays("*")...)},
		{TaskFigure("2"), append(pictures(FigurePicture("2")), figureArrays("*")...)},
		{TaskFigure("3"), append(pictures(FigurePicture("3")), ofLayers(samples(), mixing())...)},
		{TaskFigure("4"), append(pictures(FigurePicture("4")), ofLayers(samples(), mixing(), combination(), ascent())...)},
		{TaskFigureSelectivity, append(pictures(SelectivityPicture), named(ofFamily("*", "*"), selectivityMatrix()))},
		{TaskDemo, slices.Concat(pictures(FigurePicture("1")), figureArrays(string(network.DBN)), figureArrays(string(network.SDAE)), pages())},
		{TaskPaper, append(pages(), File{Name: Stages}, File{Name: Summary})},
		{TaskLook, append(pages(), File{Name: Stages}, File{Name: Summary})},
		{TaskReport, pages()},
	}
	for _, k := range families() {
		all = append(all, Kind{TaskTrain(k), append(training(trainingLog()), filters...)})
	}
	return all
}

// training are the files of every run that makes a model.
func training(log File) []File {
	return []File{{Name: Model}, log, {Name: Checkpoint}, learning()}
}

// figureArrays are the patterns behind figures 1 and 2 of a model: of its layers, and of
// the restarts of some units of the last.
func figureArrays(model string) []File {
	return []File{named(ofFamily(model, "*"), ascent()), named(FamilyRestarts(model), ascent())}
}

// ofLayers are files like these, of several layers.
func ofLayers(files ...File) []File {
	for i, f := range files {
		files[i].Name = ofLayer("*", f.Name)
	}
	return files
}

// pages are the files of an HTML report.
func pages() []File { return []File{{Name: IndexPage}, {Name: page("*")}} }

// named is a file like f by another name.
func named(name string, f File) File {
	f.Name = name
	return f
}

// pictures are files of pictures, which are drawn as PNG and as SVG.
func pictures(names ...string) (files []File) {
	for _, name := range names {
		files = append(files, File{Name: name}, File{Name: SVG(name)})
	}
	return files
}
