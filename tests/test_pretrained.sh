#!/bin/sh
# test_pretrained.sh - real weights in networks of the catalogue, by the program: ResNets for CIFAR-10 and SqueezeNet. They
# and the pictures are looked for in $CENOTE_DATA.
. "$CENOTE_SOURCE/tools/tap.sh"

weights=${CENOTE_DATA:-none}/weights
pictures=${CENOTE_DATA:-none}/cifar-10
records=$pictures/cifar-10-batches-bin/data_batch_1.first4000.bin

accuracy() { # MODEL WEIGHTS DATA LIMIT
    "$CENOTE" eval --model "$1" --weights "$2" --data "$3" --limit "$4" 2>&1 | sed 's/.*accuracy //'
}

if [ -f "$records" ] && [ -d "$weights/cifar10-resnet" ]; then
    resnet20=$weights/cifar10-resnet/resnet20-12fca82f.th
    same "ResNet-20 knows what it was trained with" 0.9985 "$(accuracy resnet20 "$resnet20" "$records" 2000)"
    same "ResNet-20 classifies new pictures" 0.7980 "$(accuracy resnet20 "$resnet20" "$pictures/test-jpeg" 0)"
    same "ResNet-56 classifies new pictures" 0.8300 \
        "$(accuracy resnet56 "$weights/cifar10-resnet/resnet56-4bfd9763.th" "$pictures/test-jpeg" 0)"
    refuse "weights of another network are refused" \
        "$CENOTE" eval --model resnet32 --weights "$resnet20" --data "$pictures/test-jpeg"
else
    skip "ResNets for CIFAR-10" "no weights or pictures in \$CENOTE_DATA"
fi

squeezenet=$weights/imagenet/squeezenet1_1_caffe.safetensors
likeliest() { # PICTURE
    "$CENOTE" predict --model torchvision/squeezenet1_1 --weights "$squeezenet" \
        --classes "$weights/imagenet/synset_words.txt" --scaling caffe --side 227 "$CENOTE_DATA/images/$1.jpg" 2>&1 |
        sed -n '2s/^.* n[0-9]* //p'
}

if [ -f "$squeezenet" ] && [ -f "$CENOTE_DATA/images/dog1.jpg" ]; then
    same "SqueezeNet sees a pug" "pug, pug-dog" "$(likeliest dog1)"
    same "SqueezeNet sees a bulldog" "French bulldog" "$(likeliest dog2)"
    same "SqueezeNet sees a cat" "Egyptian cat" "$(likeliest cat2)"
    same "SqueezeNet sees a tabby" "tabby, tabby cat" "$(likeliest cat3)"
    same "SqueezeNet sees a lake" "lakeside, lakeshore" "$(likeliest rainier)"
else
    skip "SqueezeNet" "no weights or pictures in \$CENOTE_DATA"
fi

refuse "a model without weights is refused" "$CENOTE" predict --model resnet20 nothing.png
tap_end
