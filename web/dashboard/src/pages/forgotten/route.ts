import { page } from '../../app/page';

export default page({ path: '/forgotten-password', access: 'everybody', load: () => import('./Forgotten') });
