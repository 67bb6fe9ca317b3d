package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Head names a line of the log and its hash. Noted elsewhere it proves later
// that the log up to that line is still the one that it was.
type Head struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// HeadName is the file that the head is noted in, in the data directory. It is
// beside the log, not out of reach of whoever can write there: it tells when
// lines were lost or cut off, by a restored copy or by a hand that knew no
// better. For more, note the head that a verification prints out of reach.
const HeadName = "audit.head"

// HeadFile is a file that a head is noted in.
type HeadFile string

// HeadIn is the head's file of a data directory.
func HeadIn(dir string) HeadFile { return HeadFile(filepath.Join(dir, HeadName)) }

// Load reads the head; a file that isn't there is no head.
func (f HeadFile) Load() (h Head, err error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return Head{}, nil
	}
	if err != nil {
		return Head{}, err
	}
	if err := json.Unmarshal(text, &h); err != nil || h.Seq < 0 || (h.Seq > 0) != (h.Hash != "") {
		return Head{}, fmt.Errorf("%s is no head of an audit log", string(f))
	}
	return h, nil
}

// Save writes the head in the place of the one before, as a whole or not at all.
func (f HeadFile) Save(h Head) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	beside, err := os.CreateTemp(filepath.Dir(string(f)), HeadName+".*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = beside.Write(append(text, '\n'))
	err = errors.Join(err, beside.Sync(), beside.Close())
	if err == nil {
		err = os.Rename(beside.Name(), string(f))
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside.Name()))
	}
	return nil
}
