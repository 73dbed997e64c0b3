package words

// Nearest is the known word that was probably meant by another: with the fewest
// letters to change, add or leave out, or swapped with the next one, and no more
// than a third of the word; "" if there is none.
func Nearest(word string, known []string) (near string) {
	fewest := max(1, len(word)/3) + 1
	for _, k := range known {
		if n := distance(word, k); n < fewest {
			near, fewest = k, n
		}
	}
	return near
}

// distance is the number of such changes that make b of a.
func distance(a, b string) int {
	// Words are typed by hand or by an attacker: long ones are no misspellings.
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var d [longest + 1][longest + 1]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j], d[i][j-1], d[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
