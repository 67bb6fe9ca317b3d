//go:build linux

package chaos_test

import (
	"context"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

const (
	nodes  = 3
	outage = 20 * time.Second
	paused = 30 * time.Second
	away   = 5 * time.Second // the database: leases last for 15 s, of which 5 s may have passed
)

// people call; the cap is for fewer, so that it is what holds them back, all the time.
var people, callCap = crowdOf(os.Getenv(asked))

// crowdOf is 300 people, or as many as were asked for, and a cap for four in five.
func crowdOf(asked string) (people, callCap int) {
	people, err := strconv.Atoi(asked)
	if err != nil || people < 10 {
		people = 300
	}
	return people, people * 4 / 5
}

// TestWhatGoesWrongWithADeployment of three nodes while 300 people call: a node is killed,
// the bus, the database, which is restarted in order, too; a node is cut off, in both ways
// and in each; one stands still for longer than its lease.
func TestWhatGoesWrongWithADeployment(t *testing.T) {
	d, database, bus := deploy(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	crowd := d.call(ctx, people)
	watch := d.watch(ctx)
	acts := d.act(ctx)
	full := func() bool { return crowd.now() >= callCap*9/10 }
	d.eventually("the lines are busy", full)

	var steps []stepFigures
	step := func(what string, break_, mend func()) {
		t.Helper()
		d.say("%s", what)
		before := crowd.tally()
		watch.begin()
		break_()
		mend()
		mended := time.Now()
		d.eventually("the lines are busy again after: "+what, full)
		steps = append(steps, stepFigures{what, before, crowd.tally(), watch.newest(), time.Since(mended)})
		d.say("%s is over; most permits at once %d", what, watch.newest())
	}
	wait := func(how time.Duration) { pause(ctx, how) }
	step("a node is killed", func() { d.nodes[1].kill() }, func() { wait(outage); d.nodes[1].start() })
	step("the bus is killed", bus.kill, func() { wait(outage); bus.start() })
	step("the database is killed", func() { d.must(database.Stop(true)) }, func() { wait(away); d.must(database.Resume()); wait(away) })
	step("the database is restarted", func() { d.must(database.Stop(false)) }, func() { d.must(database.Resume()); wait(away) })
	step("a node is cut off", func() { d.net.cut(2) }, func() { wait(outage); d.net.mend(2) })
	step("nothing arrives at a node", func() { d.net.deafen(2) }, func() { wait(outage); d.net.hearAgain(2) })
	step("nothing leaves a node", func() { d.net.mute(1) }, func() { wait(outage); d.net.speakAgain(1) })
	step("a node stands still", func() { d.nodes[0].signal(syscall.SIGSTOP) }, func() { wait(paused); d.nodes[0].signal(syscall.SIGCONT) })

	crowd.leave()
	d.eventually("no call is listed anywhere", func() bool { return d.listed() == 0 })
	cancel()
	watch.done.Wait()
	acts.done.Wait()
	watch.check()
	d.checkRecord()
	acts.check()
	if sent, heard := crowd.sent.Load(), crowd.heard.Load(); heard < sent/2 { // the others were lost while something was wrong
		t.Errorf("of %d packets of audio %d came back", sent, heard)
	}
	d.report(steps, crowd, watch, acts)
}
