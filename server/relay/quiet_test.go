package relay_test

import "github.com/pion/logging"

// quiet keeps pion's warnings out of the tests' output.
type quiet struct{}

func (quiet) NewLogger(scope string) logging.LeveledLogger {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	return f.NewLogger(scope)
}
