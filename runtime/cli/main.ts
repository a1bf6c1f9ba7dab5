/** The command line. Commands are declared here and loaded when called, so that `pipe --help` and `check` start fast. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { packageRoot } from '../package.ts';
import { exitCode, fail } from './output.ts';

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };

const collect = (value: string, all: string[] = []): string[] => [...all, value];
const withOption = () =>
  new Option('--with <file>', 'merge another document (a part) after the pipeline; may be repeated').argParser(collect);
const pluginOption = () =>
  new Option('--plugin <file>', 'a file or folder with node types of your own; may be repeated').argParser(collect);
const jsonOption = () => new Option('--json', 'print JSON for a machine to read');

const overridesText = `
Overrides: a knob (epochs=5), a value (nodes.loss.temperature=0.2), a new key (+nodes.loss.note=x).`;

const program = new Command('pipe')
  .description('Self-supervised vision training as a graph in a JSON file.')
  .version(version, '-V, --version')
  .showSuggestionAfterError()
  .showHelpAfterError('(pipe --help shows the commands)')
  .exitOverride();

const document = (command: Command): Command =>
  command
    .argument('<pipeline>', 'a JSON file, or the name of a pipeline that ships, e.g. quick/swav')
    .argument('[overrides...]', 'key=value')
    .addOption(withOption())
    .addOption(pluginOption());

document(program.command('run'))
  .description('Check a pipeline, then run it; resumes where an earlier run in the same folder stopped.')
  .option('--out <folder>', 'run folder (default: runs/<name>)')
  .option('--device <backend>', 'wasm, cpu, torch, tensorflow, webgpu, or auto (default: what the pipeline says)')
  .option('--require <kind>', 'fail unless the device is of this kind: gpu')
  .option('--resume <checkpoint>', 'go on from this checkpoint folder')
  .option('--fresh', 'begin anew; checkpoints of an earlier run in the folder are moved aside')
  .option('--workers <n>', 'worker threads that load and transform images (default: as many as cores allow)', Number)
  .option('--trace <file>', 'write a Chrome trace of nodes, streams and waits')
  .option('--ranks <n>', 'train on n ranks of this machine, a process each', Number)
  .option('--nodes <n>', 'machines that take part, with as many ranks each (default: 1, or what SLURM says)', Number)
  .option('--node-rank <n>', 'number of this machine, from 0 (default: what SLURM says)', Number)
  .option(
    '--rendezvous <place>',
    'where ranks of several machines meet: tcp://host:port, file:///shared/folder, or env',
  )
  .option('--restarts <n>', 'begin a failed group of ranks again from the last checkpoint, so many times', Number)
  .option('--rank-timeout <s>', 'a rank without a sign of life for so long is dead (default: 30)', Number)
  .addOption(jsonOption())
  .addHelpText('after', `${overridesText}\n\nExample:\n  pipe run quick/swav epochs=2 --out runs/try`)
  .action(async (pipeline, overrides, options) =>
    (await import('./commands/run.ts')).run(pipeline, overrides, options),
  );

document(program.command('check'))
  .description('Find the mistakes in a pipeline before anything runs.')
  .addOption(jsonOption())
  .addHelpText('after', `${overridesText}\n\nExample:\n  pipe check examples/swav.json batch_size=32`)
  .action(async (pipeline, overrides, options) =>
    (await import('./commands/check.ts')).check(pipeline, overrides, options),
  );

document(program.command('show'))
  .description('Print the resolved pipeline and where each value comes from.')
  .option('--plan', 'print what will run, in order, phase by phase')
  .option('--origins', 'print each value with the file and line it comes from')
  .option('--derived', 'print what losses make of crops, batch and ranks: effective batches, lengths of queues')
  .option('--ranks <n>', 'with --derived: processes that train together (default: 1)')
  .addOption(jsonOption())
  .addHelpText('after', `${overridesText}\n\nExample:\n  pipe show quick/swav epochs=5 --origins`)
  .action(async (pipeline, overrides, options) =>
    (await import('./commands/show.ts')).show(pipeline, overrides, options),
  );

document(program.command('graph'))
  .description('Draw a pipeline.')
  .addOption(new Option('--format <format>', 'what to write').choices(['mermaid', 'dot', 'svg']).default('mermaid'))
  .option('--expand', 'draw the stages inside models')
  .option('-o, --output <file>', 'write to a file; its extension (.svg, .dot, .mmd) chooses the format')
  .addHelpText('after', '\nExample:\n  pipe graph pretrain/swav/swav_8node_resnet -o swav.svg')
  .action(async (pipeline, overrides, options) =>
    (await import('./commands/graph.ts')).graph(pipeline, overrides, options),
  );

document(program.command('views'))
  .description('Draw what the model will see: images and all their views, as training draws them.')
  .option('--out <file>', 'a page (.html) or a picture (.png)', 'views.html')
  .option('--images <n>', 'how many images', '8')
  .option('--epoch <n>', 'whose draws, from 0 on', '0')
  .option('--batch <collator>', 'other batches than those of training, by the name of their collator')
  .addOption(jsonOption())
  .addHelpText('after', `${overridesText}\n\nExample:\n  pipe views quick/swav data=./images --out views.html`)
  .action(async (pipeline, overrides, options) =>
    (await import('./commands/views.ts')).views(pipeline, overrides, options),
  );

const nodes = program.command('nodes').description('The node types: list them, or describe one.');
nodes
  .command('list', { isDefault: true })
  .argument('[kind]', 'dataset, transform, collator, trunk, head, loss, …')
  .addOption(pluginOption())
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe nodes list transform')
  .action(async (kind, options) => (await import('./commands/nodes.ts')).list(kind, options));
nodes
  .command('describe')
  .argument('<type>', 'a node type or one of its aliases, e.g. loss/swav')
  .addOption(pluginOption())
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe nodes describe loss/swav')
  .action(async (type, options) => (await import('./commands/nodes.ts')).describe(type, options));

program
  .command('data')
  .description('What a folder of images, IDX files or videos is taken for, and what is in it.')
  .argument('<folder>', 'it is read only')
  .option('--sample <n>', 'images whose headers are read, chosen at random, or all', '1000')
  .option('--decode', 'read these images whole, which also finds those that are cut off')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe data ./images --sample all --decode')
  .action(async (folder, options) => (await import('./commands/data.ts')).data(folder, options));

const catalogOption = () => new Option('--catalog <file>', 'the catalog (default: $PIPE_CATALOG, else datasets.json)');
const dataset = program.command('dataset').description('Datasets by name: the catalog, and what is prepared for it.');
dataset
  .command('list', { isDefault: true })
  .addOption(catalogOption())
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe dataset list')
  .action(async (options) => (await import('./commands/dataset.ts')).list(options));
dataset
  .command('get')
  .argument('<name>', 'a dataset of the catalog')
  .addOption(catalogOption())
  .addHelpText('after', '\nExample:\n  pipe dataset get imagenet1k_folder')
  .action(async (name, options) => (await import('./commands/dataset.ts')).get(name, options));
dataset
  .command('paths')
  .argument('<name>', 'a dataset of the catalog')
  .option('--split <split>', 'which part', 'train')
  .addOption(catalogOption())
  .addHelpText('after', '\nExample:\n  pipe dataset paths imagenet1k_folder --split val')
  .action(async (name, options) => (await import('./commands/dataset.ts')).paths(name, options));
dataset
  .command('add')
  .argument('[name]', 'a new name')
  .option('--train <paths...>', 'images for training, and their labels: a folder, or a list and a .npy file')
  .option('--val <paths...>', 'images for evaluation, and their labels')
  .option('--test <paths...>', 'images for the final test, and their labels')
  .option('--from <file>', 'add all datasets of another catalog')
  .addOption(catalogOption())
  .addHelpText(
    'after',
    '\nExample:\n  pipe dataset add imagenet1k_folder --train ./imagenet/train --val ./imagenet/val',
  )
  .action(async (name, options) => (await import('./commands/dataset.ts')).add(name, options));
dataset
  .command('remove')
  .argument('<name>', 'a dataset of the catalog')
  .addOption(catalogOption())
  .addHelpText('after', '\nExample:\n  pipe dataset remove imagenet1k_folder')
  .action(async (name, options) => (await import('./commands/dataset.ts')).remove(name, options));
dataset
  .command('lists')
  .description('Write lists of images and labels of a folder: Pascal VOC, COCO, iNaturalist 2018, or class folders.')
  .argument('<folder>', 'it is read only')
  .requiredOption('--out <folder>', 'for <split>_images.npy and <split>_labels.npy')
  .option('--ids <file>', 'only these images of class folders: ImageNet ids such as n01440764_10026.JPEG, one a line')
  .addHelpText('after', '\nExample:\n  pipe dataset lists ./imagenet/train --ids 1percent.txt --out ./lists/imagenet-1')
  .action(async (folder, options) => (await import('./commands/dataset-files.ts')).lists(folder, options));
dataset
  .command('copy')
  .description('Copy a folder of images to a local disk; what is there already is kept.')
  .argument('<folder>', 'it is read only')
  .argument('<destination>', 'the copy gets a folder of its own in it')
  .option('--threads <n>', 'files at a time', Number, 40)
  .addHelpText('after', '\nExample:\n  pipe dataset copy /nfs/imagenet /scratch')
  .action(async (folder, destination, options) =>
    (await import('./commands/dataset-files.ts')).copy(folder, destination, options),
  );

program
  .command('export')
  .description('Write the weights of a trained model for other programs.')
  .argument('<from>', 'a run folder (its newest checkpoint), a checkpoint folder, or a weights file')
  .option('--node <name>', 'which model of the run, e.g. trunk')
  .requiredOption('--to <file>', '.safetensors, or .torch, .pth, .pt for PyTorch')
  .addOption(
    new Option('--names <project>', 'whose names the tensors get')
      .choices(['vissl', 'torchvision', 'detectron2', 'classy'])
      .default('vissl'),
  )
  .option(
    '--rename <old=new...>',
    'what names begin with: "module.=" takes it away, "=trunk." puts it before all; may be repeated',
  )
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe export runs/swav --node trunk --to trunk.pth --names torchvision')
  .action(async (from, options) => (await import('./commands/export.ts')).exportModel(from, options));

program
  .command('weights')
  .description('What is in a weights file: tensors, models, whose names they have.')
  .argument('<file>', 'a weights file of any format, a checkpoint folder, or the folder of a VISSL run')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe weights resnet50.pth')
  .action(async (file, options) => (await import('./commands/weights.ts')).weights(file, options));

program
  .command('embeddings')
  .description('Check a CSV of embeddings, say what is in it, and draw it.')
  .argument('<file>', 'filenames, embedding_0, …, labels, as lightly writes it')
  .option('--plot <file.svg>', 'draw the first two principal components')
  .option('--fraction <f>', 'share of the rows that the components are fitted to (default: up to 10,000 rows)')
  .option('--remove-additional', 'rewrite the file without columns that do not belong to the format')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe embeddings runs/swav/embeddings.csv --plot swav.svg')
  .action(async (file, options) => (await import('./commands/embeddings.ts')).embeddings(file, options));

program
  .command('embed')
  .description('Write features of a run as a CSV of embeddings, with the names of the images, as lightly reads it.')
  .argument('<folder>', 'with the .npy files of features/write')
  .requiredOption('--images <path>', 'the folder or list that the features were made from')
  .option('--split <split>', 'in the names of the files', 'train')
  .option('--layer <layer>', 'in the names of the files', 'heads')
  .option('-o, --output <file.csv>', 'where to write', 'embeddings.csv')
  .addHelpText('after', '\nExample:\n  pipe embed runs/swav/features --images ./images -o embeddings.csv')
  .action(async (folder, options) => (await import('./commands/embed.ts')).embed(folder, options));

program
  .command('jigsaw-perms')
  .description('Write permutations of patches that lie far apart, for Jigsaw (arXiv:1603.09246).')
  .option('--count <n>', 'how many', '2000')
  .option('--patches <n>', 'places of a permutation, up to 9', '9')
  .addOption(
    new Option('--method <method>', 'far from those before by the mean Hamming distance, or by the least one')
      .choices(['max_avg', 'max_min'])
      .default('max_avg'),
  )
  .option('--seed <n>', 'the same seed gives the same permutations', '0')
  .requiredOption('--out <file.npy>', 'where to write; a file that is there is replaced')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe jigsaw-perms --count 2000 --out hamming_perms_2000_patches_9_max_avg.npy')
  .action(async (options) => (await import('./commands/jigsaw-perms.ts')).jigsawPerms(options));

program
  .command('video')
  .description('List the videos of a folder, or prepare them for training: as pictures, or with near keyframes.')
  .argument('<folder>', 'videos in it and below it; read only')
  .option('--out <folder>', 'write there (default: list only); what is there already is kept')
  .addOption(new Option('--as <what>', 'what to write').choices(['frames', 'videos']).default('frames'))
  .addOption(new Option('--format <format>', 'of frames').choices(['png', 'jpg']).default('png'))
  .option('--folders', 'frames: a folder for each video, so that folders are classes')
  .option('--interval <n>', 'videos: frames from one keyframe to the next', '12')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe video ./clips --out ./frames --format jpg --folders')
  .action(async (folder, options) => (await import('./commands/video.ts')).video(folder, options));

const launch = program.command('launch').description('Scripts that start a run elsewhere.');
document(launch.command('slurm'))
  .description('Write a script for sbatch: checkpoints and queues itself again before its time is over.')
  .option('--nodes <n>', 'machines', Number, 1)
  .option('--ranks <n>', 'ranks per machine', Number, 8)
  .option('--gpus <n>', 'GPUs per machine (default: none asked for)', Number)
  .option('--cpus <n>', 'cores per machine (default: what the cluster gives)', Number)
  .option('--memory <size>', 'memory per machine, as SLURM writes it: 250G')
  .option('--partition <name>', 'partition')
  .option('--time <time>', 'limit, as SLURM writes it: 72:00:00')
  .option('--comment <text>', 'comment of the job')
  .option('--out <folder>', 'run folder on a shared disk (default: runs/<name>)')
  .option('-o, --output <file>', 'write to a file')
  .addHelpText(
    'after',
    '\nExample:\n  pipe launch slurm examples/swav.json --nodes 4 --gpus 8 -o job.sh && sbatch job.sh',
  )
  .action(async (pipeline, overrides, options) =>
    (await import('./commands/launch.ts')).slurm(pipeline, overrides, options),
  );

program
  .command('new')
  .description('Scaffold a node type with its test, or a pipeline.')
  .addArgument(program.createArgument('<what>', 'node or pipeline').choices(['node', 'pipeline']))
  .argument('<name>', 'node: its type, e.g. loss/mine; pipeline: a file name')
  .option('--extends <pipeline>', 'pipeline: what it builds on', 'quick/swav')
  .option('--dir <folder>', 'where to write', '.')
  .addHelpText('after', '\nExample:\n  pipe new node loss/mine --dir my-nodes\n  pipe new pipeline first.json')
  .action(async (what, name, options) => (await import('./commands/new.ts')).scaffold(what, name, options));

program
  .command('doctor')
  .description('What this machine has, which backends work, and what would add the others.')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe doctor')
  .action(async (options) => (await import('./commands/doctor.ts')).doctor(options));

const backends = program
  .command('backends')
  .description('The tensor backends: list them with what would add each, measure one, or build one.');
backends
  .command('list', { isDefault: true })
  .description(
    'All backends: do they work here, on what device, which version, how fast (a matrix product and a convolution ' +
      'step, a few seconds each); else the command that would add it.',
  )
  .option('--no-speed', 'measure nothing')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe backends\n  pipe backends --no-speed')
  .action(async (options) => (await import('./commands/backends.ts')).list(options));
backends
  .command('measure')
  .description('The speed of one backend: a 512×512 matrix product and a small convolution step.')
  .argument('<backend>', 'which, e.g. wasm')
  .addOption(jsonOption())
  .addHelpText('after', '\nExample:\n  pipe backends measure torch')
  .action(async (backend, options) => (await import('./commands/backends.ts')).measure(backend, options));
backends
  .command('build')
  .description(
    'Compile what a backend needs for this machine: torch, against $LIBTORCH, the torch of a Python, or libtorch-dev; ' +
      'tensorflow, against $LIBTENSORFLOW or the tensorflow of a Python ($PYTHON, python3, python).',
  )
  .addArgument(program.createArgument('<backend>', 'what to build').choices(['torch', 'tensorflow']))
  .option('--force', 'build anew')
  .addHelpText('after', '\nExample:\n  pipe backends build torch\n  pipe backends build tensorflow')
  .action(async (backend, options) => (await import('./commands/backends.ts')).build(backend, options));

// `pipe nodes list | head`: who reads no further stops nobody, least of all a training run
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  // commander has printed its message already; its help and version "errors" have exit code 0
  if (error instanceof Error && 'exitCode' in error && 'code' in error && String(error.code).startsWith('commander.')) {
    process.exitCode = error.exitCode === 0 ? exitCode.done : exitCode.wrongRequest;
  } else fail(error);
}
