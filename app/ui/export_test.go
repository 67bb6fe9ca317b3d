package ui

// What the tests read of the inside.
var (
	CopyTable = copyTable
	Drawings  = drawings
)

// SparkPath is the line of a spark.
func SparkPath(s Spark) (d string, x, y int) { return s.path() }
