package client

import "parley/shared/rest"

// NewRows are sessions as a snapshot has them.
func NewRows(list []rest.Session) rows { return newRows(list) }

// Read makes the rows of a frame whole.
func (r rows) Read(data []byte) (rest.SessionsFrame, error) { return r.read(data) }

// SplitFrame takes a frame apart in the short way.
func SplitFrame(data string) (f rest.SessionsFrame, patches []string, ok bool) {
	frame, ok := splitFrame([]byte(data))
	for _, raw := range frame.Upsert {
		patches = append(patches, string(raw))
	}
	return frame.SessionsFrame, patches, ok
}

// ChangeOften and ChangeAny are the two ways to apply a patch to a row.
func ChangeOften(row rest.Session, raw string) (rest.Session, bool) {
	ok := changeOften(&row, []byte(raw))
	return row, ok
}

// ChangeAny applies any patch.
func ChangeAny(row rest.Session, raw string) (rest.Session, error) {
	return rows{}.changeAny(row, []byte(raw))
}
