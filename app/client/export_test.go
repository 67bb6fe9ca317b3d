package client

import "parley/shared/rest"

// NewRows are sessions as a snapshot has them.
func NewRows(list []rest.Session) rows { return newRows(list) }

// Read makes the rows of a frame whole.
func (r rows) Read(data []byte) (rest.SessionsFrame, error) { return r.read(data) }
