package runfolder

// Data says what a run took a data set for.
type Data struct {
	Role          string `json:"role"`          // the flag that named it, as data or test; validation for what was held out of data
	Specification string `json:"specification"` // as `--data` takes it
	Seed          uint64 `json:"seed"`          // that examples which are made depend on
	Files         int    `json:"files"`         // how many of the run's inputs it was read from
	Examples      int    `json:"examples"`
	Shape         []int  `json:"shape"` // of one example
	// Stored is how numbers were held and what became of them; "" if they are made.
	Stored   string  `json:"stored,omitempty"`
	Low      float32 `json:"low"` // what components can take, or for patches usually take
	High     float32 `json:"high"`
	Labelled bool    `json:"labelled"`
	Classes  int     `json:"classes,omitempty"` // different labels; 0 for none, or where that was not counted
	// Rho is the mean norm of the first RhoExamples examples, after the preprocessing
	// of the model if there is one; 0 where it was not computed.
	Rho         float64  `json:"rho,omitempty"`
	RhoExamples int      `json:"rho_examples,omitempty"`
	Remarks     []string `json:"remarks,omitempty"`
}
