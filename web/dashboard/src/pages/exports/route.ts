import { page } from '../../app/page';

export default page({
  path: '/w/:slug/exports',
  access: 'workspace',
  load: () => import('./Exports'),
  navigation: { group: 'workspace', order: 50, icon: 'export', label: 'exports' },
});
