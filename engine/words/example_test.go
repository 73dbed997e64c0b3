package words_test

import (
	"fmt"

	"github.com/unitscope/unitscope/engine/words"
)

func ExampleCount() {
	fmt.Println(words.Count(1, "class"), words.Count(60_000, "class"), words.Count(int64(0), "unit"))
	// Output: 1 class 60000 classes 0 units
}
