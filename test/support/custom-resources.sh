# Sourced by what needs the definitions of the custom resources that the chart can make.

# Copies them into the folder $1, made anew, out of the Go modules that define them. Nothing of the modules is built.
copy_custom_resources() {
  rm -rf "$1"
  mkdir -p "$1"
  copy_module_files "$1" sigs.k8s.io/gateway-api@v1.4.0 \
    config/crd/standard/gateway.networking.k8s.io_{grpcroutes,httproutes}.yaml
  copy_module_files "$1" github.com/prometheus-operator/prometheus-operator@v0.85.0 \
    example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,podmonitors,prometheusrules}.yaml
  copy_module_files "$1" github.com/kedacore/keda/v2@v2.18.1 config/crd/bases/keda.sh_scaledobjects.yaml
  copy_module_files "$1" github.com/cert-manager/cert-manager@v1.19.1 deploy/crds/cert-manager.io_certificates.yaml
}

# Into the folder $1, out of the Go module $2, the files named after it.
copy_module_files() {
  local folder
  folder=$(go mod download -json "$2" | sed -n 's/^\t"Dir": "\(.*\)",\?$/\1/p')
  local files=("${@:3}")
  install -m 644 "${files[@]/#/$folder/}" "$1"
}
