package packaging_test

import (
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

type port struct {
	Name          string
	Port          int
	ContainerPort int    `yaml:"containerPort"`
	TargetPort    string `yaml:"targetPort"`
	Protocol      string
}

type probe struct {
	HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds    int                         `yaml:"periodSeconds"`
	FailureThreshold int                         `yaml:"failureThreshold"`
}

type mount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
}

type container struct {
	Name, Image     string
	ImagePullPolicy string `yaml:"imagePullPolicy"`
	Args            []string
	Env             []struct{ Name, Value string }
	Ports           []port
	StartupProbe    probe `yaml:"startupProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		AllowPrivilegeEscalation bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []mount `yaml:"volumeMounts"`
}

type metadata struct {
	Name   string
	Labels map[string]string
}

type pod struct {
	AutomountServiceAccountToken  bool  `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int64 `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int64                 `yaml:"runAsUser"`
		RunAsGroup     int64                 `yaml:"runAsGroup"`
		FSGroup        int64                 `yaml:"fsGroup"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []container
}

// An object is one of the manifests: the fields of Kubernetes that they use, and
// no others, so that a mistyped one is found.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   metadata
	Spec       struct {
		Type                  string
		ExternalTrafficPolicy string `yaml:"externalTrafficPolicy"`
		Ports                 []port
		Selector              any
		ServiceName           string `yaml:"serviceName"`
		Replicas              int
		Template              struct {
			Metadata metadata
			Spec     pod
		}
		VolumeClaimTemplates []struct {
			Metadata metadata
			Spec     struct {
				AccessModes []string `yaml:"accessModes"`
				Resources   struct{ Requests map[string]string }
			}
		} `yaml:"volumeClaimTemplates"`
	}
}

func TestKubernetesManifests(t *testing.T) {
	var objects []object
	for decoder := yaml.NewDecoder(strings.NewReader(read(t, "server/packaging/kubernetes.yaml")), yaml.Strict()); ; {
		var o object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o)
	}
	if len(objects) != 3 || objects[2].Kind != "StatefulSet" || objects[2].Spec.Replicas != 1 {
		t.Fatalf("%+v", objects)
	}
	spec := objects[2].Spec.Template.Spec
	server := spec.Containers[0]
	if !spec.SecurityContext.RunAsNonRoot || !server.SecurityContext.ReadOnlyRootFilesystem || server.SecurityContext.AllowPrivilegeEscalation ||
		!slices.Equal(server.SecurityContext.Capabilities.Drop, []string{"ALL"}) || spec.SecurityContext.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("not confined: %+v %+v", spec.SecurityContext, server.SecurityContext)
	}
	if server.LivenessProbe.HTTPGet.Path != "/healthz" || server.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Errorf("probes: %+v %+v", server.LivenessProbe, server.ReadinessProbe)
	}
	if claim := objects[2].Spec.VolumeClaimTemplates; len(claim) != 1 || len(server.VolumeMounts) != 1 || claim[0].Metadata.Name != server.VolumeMounts[0].Name {
		t.Errorf("the record lies at %+v, claimed by %+v", server.VolumeMounts, claim)
	}
	for _, service := range objects[:2] {
		for _, p := range service.Spec.Ports {
			if !slices.ContainsFunc(server.Ports, func(c port) bool { return c.Name == p.TargetPort && c.Protocol == p.Protocol }) {
				t.Errorf("%s leads to %s, which the server doesn't have", service.Metadata.Name, p.TargetPort)
			}
		}
	}
	for _, variable := range server.Env {
		isVariable(t, variable.Name)
	}
}

// isVariable holds that the program has the setting.
func isVariable(t *testing.T, name string) {
	t.Helper()
	flag := "--" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "PARLEY_")), "_", "-")
	if !strings.Contains(read(t, "server/INSTALL.md"), "| `"+flag+"` |") {
		t.Errorf("no setting is called %s", name)
	}
}

func TestComposeFile(t *testing.T) {
	var file struct {
		Services map[string]struct {
			ReadOnly    bool     `yaml:"read_only"`
			CapDrop     []string `yaml:"cap_drop"`
			Environment map[string]string
			Command     string
			Ports       []string
			Networks    map[string]struct {
				Address string `yaml:"ipv4_address"`
			}
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "server/packaging/compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	server, proxy := file.Services["parley"], file.Services["caddy"]
	if !server.ReadOnly || !slices.Equal(server.CapDrop, []string{"ALL"}) || !slices.Equal(server.Ports, []string{"8081:8081/udp", "8081:8081/tcp"}) {
		t.Errorf("%+v", server)
	}
	if got := server.Environment["PARLEY_TRUSTED_PROXIES"]; got == "" || got != proxy.Networks["front"].Address {
		t.Errorf("the trusted proxy is %q, Caddy is %+v", got, proxy.Networks)
	}
	for name := range server.Environment {
		isVariable(t, name)
	}
}

// Two builds in two folders are the same, byte for byte, and the list of what they
// are made of comes from the program itself.
func TestBuildsAreReproducible(t *testing.T) {
	dir := t.TempDir()
	first, copied, second := dir+"/first", dir+"/elsewhere", dir+"/second"
	script := `set -e
mkdir "$2"
{ git ls-files; ls web/*.wasm.br web/*.wasm.gz 2>/dev/null || true; } | while read -r f; do [ ! -e "$f" ] || echo "$f"; done | tar -c -T - | tar -x -C "$2"
make -s binary BINARY="$1" VERSION=1.2.3 COMMIT=abc
make -s -C "$2" binary BINARY="$3" VERSION=1.2.3 COMMIT=abc
cmp "$1" "$3"
go run ./server/packaging/sbom "$1" 1.2.3`
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script, "bash", first, copied, second)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"bomFormat": "CycloneDX"`, `"version": "1.2.3"`, `"purl": "pkg:golang/github.com/pion/webrtc/v4@v4.2.20"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the list of parts lacks %s", want)
		}
	}
}

// Traefik can't be had here to run it; what its configuration says is at least what
// a proxy has to do.
func TestTraefikConfiguration(t *testing.T) {
	_, after, _ := strings.Cut(read(t, "server/INSTALL.md"), "\n### Traefik\n")
	_, after, _ = strings.Cut(after, "\n```yaml\n")
	block, _, _ := strings.Cut(after, "\n```\n")
	var file struct {
		HTTP struct {
			Routers  map[string]struct{ Rule, Service string }
			Services map[string]struct {
				LoadBalancer struct {
					PassHostHeader bool `yaml:"passHostHeader"`
					Servers        []struct{ URL string }
				} `yaml:"loadBalancer"`
			}
		}
	}
	if err := yaml.Unmarshal([]byte(block), &file); err != nil {
		t.Fatal(err)
	}
	balancer := file.HTTP.Services[file.HTTP.Routers["parley"].Service].LoadBalancer
	if !balancer.PassHostHeader || len(balancer.Servers) != 1 || balancer.Servers[0].URL != "http://127.0.0.1:8080" {
		t.Errorf("%+v", file)
	}
}
