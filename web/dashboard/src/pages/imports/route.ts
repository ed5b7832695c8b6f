import { page } from '../../app/page';

export default [
  page({
    path: '/w/:slug/imports',
    access: 'workspace',
    load: () => import('./Imports'),
    navigation: { group: 'workspace', order: 40, icon: 'import', label: 'imports' },
  }),
  page({ path: '/w/:slug/imports/:jobId', access: 'workspace', load: () => import('./Import') }),
];
