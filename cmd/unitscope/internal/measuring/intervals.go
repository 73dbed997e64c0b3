package measuring

import (
	"fmt"
	"math"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/visualize"
)

// bootstrapFlag is for analyses with intervals.
func bootstrapFlag() cli.Flag {
	return &cli.IntFlag{Name: "resamples", Value: visualize.DefaultModes().Resamples, Usage: "`N` bootstrap resamples for the intervals of 95 %, 0 to 1000000; 0 for none"}
}

// estimateText is a number and its interval, as summaries say it, the interval
// only if it shows; factor 100 makes per cent of shares.
func estimateText(e visualize.Estimate, format string, factor float64) string {
	if math.IsNaN(e.Value) {
		return "unknown"
	}
	text := fmt.Sprintf(format, factor*e.Value)
	low, high := fmt.Sprintf(format, factor*e.Low), fmt.Sprintf(format, factor*e.High)
	if math.IsNaN(e.Low) || low == text && high == text {
		return text
	}
	return text + " (" + low + " to " + high + ")"
}
