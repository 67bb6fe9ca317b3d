//go:build !linux

package main

import "context"

// benchPostgres measures nothing where no cluster can be started.
func benchPostgres(context.Context, storePlan, string, *results) error { return nil }
