// A plugin of graphql-codegen: the schema as far as the normalising cache needs it, and which fields are lists in pages.

import { minifyIntrospectionQuery } from '@urql/introspection';
import { getNamedType, introspectionFromSchema, isObjectType } from 'graphql';

export const plugin = (schema) => {
  const objects = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !type.name.startsWith('__'),
  );
  const embedded = objects.filter((type) => !type.getFields().id).map((type) => type.name);
  const paged = {};
  for (const type of objects) {
    const fields = Object.values(type.getFields()).filter((field) =>
      getNamedType(field.type).name.endsWith('Connection'),
    );
    if (fields.length) paged[type.name] = fields.map((field) => field.name);
  }
  return JSON.stringify({ schema: minifyIntrospectionQuery(introspectionFromSchema(schema)), embedded, paged });
};
