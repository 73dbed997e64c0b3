//go:build unix

package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

// answerTime is how long a terminal has to answer a question.
const answerTime = time.Second

// interruptKey is what Ctrl-C sends while a terminal is asked: then it is a byte
// like others and no signal.
const interruptKey = 0x03

// knowsSixels asks the terminal for its attributes (DA1): 4 is sixels. The error
// is that of a person who interrupts the program meanwhile; every other one means
// no.
func knowsSixels() (bool, error) {
	answer, err := askTerminal("\x1b[c", 'c')
	if err != nil {
		return false, interruptOnly(err)
	}
	_, attributes, _ := strings.Cut(strings.TrimSuffix(answer, "c"), "\x1b[?")
	return slices.Contains(strings.Split(attributes, ";"), "4"), nil
}

// cellSize asks the terminal how large a character is (XTWINOPS 16), in pixels; 0
// if it does not say. The error is as in knowsSixels.
func cellSize() (width, height int, err error) {
	answer, err := askTerminal("\x1b[16t", 't')
	if err != nil {
		return 0, 0, interruptOnly(err)
	}
	_, answer, _ = strings.Cut(answer, "\x1b[")
	if _, err := fmt.Sscanf(answer, "6;%d;%dt", &height, &width); err != nil || width < 1 || height < 1 || max(width, height) > 1000 {
		return 0, 0, nil
	}
	return width, height, nil
}

// largestSixels asks the terminal what size of sixels it draws (XTSMGRAPHICS 2), in
// pixels: xterm cuts off what is larger, at 1000x1000 unless it is told otherwise;
// 0 if it does not say. The attributes, which every terminal answers with, are asked
// for after it, so that nobody waits. The error is as in knowsSixels.
func largestSixels() (width, height int, err error) {
	answer, err := askTerminal("\x1b[?2;1;0S\x1b[c", 'c')
	if err != nil {
		return 0, 0, interruptOnly(err)
	}
	_, answer, _ = strings.Cut(answer, "\x1b[?2;0;")
	if _, err := fmt.Sscanf(answer, "%d;%dS", &width, &height); err != nil || width < 1 || height < 1 {
		return 0, 0, nil
	}
	return width, height, nil
}

func interruptOnly(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// askTerminal sends a question to the terminal and returns what it answers up to a
// last byte. Ctrl-C ends it with an error that wraps [context.Canceled].
func askTerminal(question string, last byte) (answer string, err error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, tty.Close()) }()
	fd := int(tty.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, term.Restore(fd, before)) }()
	// Fd has made the file wait; a deadline needs one that does not.
	if err := syscall.SetNonblock(fd, true); err != nil {
		return "", err
	}
	if err := tty.SetReadDeadline(time.Now().Add(answerTime)); err != nil {
		return "", err
	}
	if _, err := tty.WriteString(question); err != nil {
		return "", err
	}
	var said []byte
	for piece := make([]byte, 64); ; {
		n, err := tty.Read(piece)
		said = append(said, piece[:n]...)
		if bytes.IndexByte(said, interruptKey) >= 0 {
			return "", fmt.Errorf("--preview: %w", context.Canceled)
		}
		if end := bytes.IndexByte(said, last); end >= 0 {
			return string(said[:end+1]), nil
		}
		if err != nil {
			return "", err
		}
	}
}
