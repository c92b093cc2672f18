#!/usr/bin/env bash
# Builds the TensorRT engine of sentiment_balanced from its fp16 ONNX file (training/ writes it to build/training), on a machine with the GPU
# that will serve it. Then start tritonserver with --model-config-name=tensorrt. One optimization profile a length of rows.
set -euo pipefail
trtexec --onnx="${1:?the fp16 ONNX file}" --saveEngine="$(dirname "$0")/../1/model.plan" --fp16 \
  --profile=0 \
  --minShapes=input_ids:1x1,attention_mask:1x1 \
  --optShapes=input_ids:32x16,attention_mask:32x16 \
  --maxShapes=input_ids:128x16,attention_mask:128x16 \
  --profile=1 \
  --minShapes=input_ids:1x17,attention_mask:1x17 \
  --optShapes=input_ids:32x32,attention_mask:32x32 \
  --maxShapes=input_ids:128x32,attention_mask:128x32 \
  --profile=2 \
  --minShapes=input_ids:1x33,attention_mask:1x33 \
  --optShapes=input_ids:32x64,attention_mask:32x64 \
  --maxShapes=input_ids:128x64,attention_mask:128x64 \
  --profile=3 \
  --minShapes=input_ids:1x65,attention_mask:1x65 \
  --optShapes=input_ids:32x128,attention_mask:32x128 \
  --maxShapes=input_ids:128x128,attention_mask:128x128
