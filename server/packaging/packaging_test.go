package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// maxExposure is what systemd itself calls well confined: under 2 of 10.
const maxExposure = 2.0

// systemd understands every line of the units, and finds the server well confined.
func TestUnits(t *testing.T) {
	dir, units := t.TempDir(), []string{"parley.service", "parley-http.socket", "parley-http-redirect.socket"}
	for _, name := range units {
		unit := strings.Replace(read(t, "server/packaging/"+name), "/usr/bin/parley", "/bin/true", 1) // which is there
		if err := os.WriteFile(filepath.Join(dir, name), []byte(unit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := analyze(t, dir, append([]string{"verify"}, units...)...); out != "" {
		t.Errorf("systemd-analyze verify: %s", out)
	}
	out := analyze(t, dir, "security", "--offline=true", "parley.service")
	m := regexp.MustCompile(`exposure level for parley.service: ([0-9.]+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no exposure in %s", out)
	}
	if exposure, err := strconv.ParseFloat(m[1], 64); err != nil || exposure > maxExposure {
		t.Errorf("the exposure is %s, over %v", m[1], maxExposure)
	}
}

func analyze(t *testing.T, dir string, args ...string) string {
	t.Helper()
	for i, arg := range args {
		if strings.Contains(arg, ".") {
			args[i] = "./" + arg
		}
	}
	cmd := exec.CommandContext(t.Context(), "systemd-analyze", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze %q: %v (make tools installs it)\n%s", args, err, out)
	}
	return string(out)
}

// buildSteps are the commands of the Dockerfile; they were run as they stand in a
// fresh Debian with Go, where docker itself could not.
var buildSteps = []string{"go mod download", "make build VERSION=$VERSION COMMIT=$COMMIT", "install -d -m 0700 -o 65532 -g 65532 /data"}

// The image is the program alone, for a user who is not root, and checks itself.
func TestDockerfile(t *testing.T) {
	file := read(t, "Dockerfile")
	var steps []string
	for line := range strings.Lines(file) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "RUN":
			steps = append(steps, rest)
		case "COPY":
			for _, source := range strings.Fields(rest)[:len(strings.Fields(rest))-1] {
				if strings.HasPrefix(source, "--") || strings.HasPrefix(source, "/") {
					continue
				}
				if _, err := os.Stat(filepath.Join(root, source)); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
		}
	}
	if !slices.Equal(steps, buildSteps) {
		t.Errorf("the steps are %q, those that were tried %q", steps, buildSteps)
	}
	_, image, _ := strings.Cut(file, "\nFROM scratch\n")
	for _, want := range []string{"USER 65532:65532\n", `CMD ["/parley", "health"]` + "\n", "VOLUME /data\n", `ENTRYPOINT ["/parley"]` + "\n", "EXPOSE 8080/tcp 8081/udp 8081/tcp\n"} {
		if !strings.Contains(image, want) {
			t.Errorf("the image lacks %q", want)
		}
	}
}

// Every file that goes into the Debian package is there, and only root and the server
// read its settings.
func TestDebianPackage(t *testing.T) {
	var config struct {
		Contents []struct {
			Src, Dst, Type string
			FileInfo       struct{ Mode int } `yaml:"file_info"`
		}
		Scripts map[string]string
	}
	if err := yaml.Unmarshal([]byte(read(t, "server/packaging/nfpm.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	for _, script := range config.Scripts {
		out, err := exec.CommandContext(t.Context(), "sh", "-n", filepath.Join(root, script)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v %s", script, err, out)
		}
	}
	if len(config.Scripts) != 3 || len(config.Contents) != 8 {
		t.Errorf("%d scripts, %d files", len(config.Scripts), len(config.Contents))
	}
	for _, c := range config.Contents {
		if c.Src != "${BINARY}" {
			read(t, c.Src)
		}
		if isSettings := c.Dst == "/etc/parley/parley.env"; isSettings != (c.Type == "config|noreplace") || isSettings && c.FileInfo.Mode != 0o640 {
			t.Errorf("%s is %q with mode %o", c.Dst, c.Type, c.FileInfo.Mode)
		}
	}
}
