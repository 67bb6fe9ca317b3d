package turn

// MaxPerSession is the limit, for its test.
const MaxPerSession = maxPerSession
