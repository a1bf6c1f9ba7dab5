import { jsonText } from './json-text.ts';
import { writeAside } from './write-aside.ts';

/** Keys of COCO annotation files, and one more for custom metadata (lightly.utils.io.COCO_ANNOTATION_KEYS). */
export const COCO_ANNOTATION_KEYS = {
  images: 'images',
  images_id: 'id',
  images_filename: 'file_name',
  custom_metadata: 'metadata',
  custom_metadata_image_id: 'image_id',
} as const;

export type CustomMetadata = readonly (readonly [filename: string, metadata: Readonly<Record<string, unknown>>])[];

export interface FormattedMetadata {
  readonly images: readonly { readonly id: number; readonly file_name: string }[];
  readonly metadata: readonly (Readonly<Record<string, unknown>> & { readonly image_id: unknown })[];
}

/**
 * Metadata of images in COCO's manner: images numbered from 0, and each one's metadata under its number
 * (lightly.utils.io.format_custom_metadata). A key `image_id` of the metadata itself wins over the number, as there.
 */
export function formatCustomMetadata(customMetadata: CustomMetadata): FormattedMetadata {
  return {
    images: customMetadata.map(([file_name], id) => ({ id, file_name })),
    metadata: customMetadata.map(([, metadata], image_id) => ({ image_id, ...metadata })),
  };
}

/** Writes the metadata as JSON (lightly.utils.io.save_custom_metadata). Throws a TypeError for what JSON cannot hold. */
export async function saveCustomMetadata(path: string, customMetadata: CustomMetadata): Promise<void> {
  await writeAside(path, [jsonText(formatCustomMetadata(customMetadata))]);
}
